// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "guest.h"

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

INLINE uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

INLINE void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32)) : "memory");
}

INLINE uint64_t hypercall(const uint64_t *arg)
{
	uint64_t ret;

	if (arg[3])
		__asm__ volatile("vmmcall" : "=a"(ret)
				 : "a"(arg[0]), "b"(arg[1]), "c"(arg[2]) : "memory");
	else
		__asm__ volatile("vmcall" : "=a"(ret)
				 : "a"(arg[0]), "b"(arg[1]), "c"(arg[2]) : "memory");
	return ret;
}

/* Field by field and volatile: no call to memcpy may come of it. */
INLINE void copy_page(struct pvclock_vcpu_time_info *to,
		      const volatile struct pvclock_vcpu_time_info *from)
{
	to->version = from->version;
	to->pad0 = from->pad0;
	to->tsc_timestamp = from->tsc_timestamp;
	to->system_time = from->system_time;
	to->tsc_to_system_mul = from->tsc_to_system_mul;
	to->tsc_shift = from->tsc_shift;
	to->flags = from->flags;
	to->pad[0] = from->pad[0];
	to->pad[1] = from->pad[1];
}

/* As any guest does it: the TSC is read between two looks at the version. */
INLINE uint64_t read_page(struct guest_box *box)
{
	const volatile struct pvclock_vcpu_time_info *page =
		(const volatile void *)box->arg[0];
	uint64_t tsc;

	do {
		copy_page(&box->page, page);
		tsc = read_tsc();
	} while ((box->page.version & 1) || box->page.version != page->version);
	box->out[0] = tsc;
	box->out[1] = exact_page_ns(&box->page, tsc);
	return tsc;
}

INLINE uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

INLINE void compare(struct guest_box *box)
{
	uint64_t tsc = read_page(box);
	int64_t step = 0, worst = 0;
	uint32_t i;

	for (i = 0; i < box->past_count; i++) {
		step = (int64_t)(box->out[1] - exact_page_ns(&box->past[i], tsc));
		if (magnitude(step) > magnitude(worst))
			worst = step;
	}
	box->out[2] = (uint64_t)step;
	box->out[3] = (uint64_t)worst;
}

INLINE void spin(uint64_t ticks)
{
	uint64_t start = read_tsc();

	while (read_tsc() - start < ticks)
		__asm__ volatile("pause");
}

INLINE void raise_highest(uint64_t *highest, uint64_t value)
{
	uint64_t seen = __atomic_load_n(highest, __ATOMIC_SEQ_CST);

	while (value > seen &&
	       !__atomic_compare_exchange_n(highest, &seen, value, 0, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST))
		;
}

INLINE void hammer_once(struct guest_box *box, uint64_t *highest, uint64_t *result)
{
	uint32_t mul = box->page.tsc_to_system_mul;
	int8_t shift = box->page.tsc_shift;
	uint64_t before = __atomic_load_n(highest, __ATOMIC_SEQ_CST);
	uint64_t ns;

	read_page(box);
	ns = box->out[1];
	if (!(box->page.flags & PVCLOCK_TSC_STABLE_BIT)) {
		if (box->arg[3])
			raise_highest(highest, ns);
		return;
	}
	result[0]++;
	result[3] += box->page.tsc_to_system_mul != mul || box->page.tsc_shift != shift;
	if (ns < before) {
		result[1]++;
		if (before - ns > result[2])
			result[2] = before - ns;
	}
	raise_highest(highest, ns);
}

INLINE void hammer(struct guest_box *box)
{
	uint64_t *highest = (uint64_t *)box->arg[2];
	uint64_t result[4] = { 0, 0, 0, 0 }, i;

	for (i = 0; i < box->arg[1]; i++)
		hammer_once(box, highest, result);
	for (i = 0; i < 4; i++)
		box->out[i] = result[i];
}

INLINE void cpuid(struct guest_box *box)
{
	uint32_t a = (uint32_t)box->arg[0], b, c = (uint32_t)box->arg[1], d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	box->out[0] = a;
	box->out[1] = b;
	box->out[2] = c;
	box->out[3] = d;
}

INLINE uint64_t hyperv_units(const volatile struct guest_hyperv_page *page, uint64_t tsc)
{
	return (uint64_t)((exact_u128)tsc * page->scale >> 64) + page->offset;
}

INLINE void hyperv(struct guest_box *box)
{
	const volatile struct guest_hyperv_page *page = (const volatile void *)box->arg[1];
	uint32_t sequence;

	do {
		sequence = page->sequence;
		box->out[2] = hyperv_units(page, read_page(box));
	} while (sequence != page->sequence);
	box->out[3] = sequence;
}

INLINE void step_beyond(uint64_t *last, uint64_t now, uint64_t *out, uint64_t *most)
{
	int64_t step = (int64_t)(now - *last);

	if (step < 0) {
		out[0]++;
		if ((uint64_t)-step > out[1])
			out[1] = (uint64_t)-step;
	} else if ((uint64_t)step > *most) {
		*most = (uint64_t)step;
	}
	*last = now;
}

INLINE void hyperv_walk(struct guest_box *box)
{
	const volatile struct guest_hyperv_page *page = (const volatile void *)box->arg[0];
	uint64_t last = hyperv_units(page, read_tsc()), i;

	for (i = 0; i < 4; i++)
		box->out[i] = 0;
	for (i = 0; i < box->arg[1]; i++) {
		step_beyond(&last, read_msr(GUEST_HYPERV_COUNTER), box->out, &box->out[2]);
		step_beyond(&last, hyperv_units(page, read_tsc()), box->out, &box->out[3]);
	}
}

INLINE void obey(struct guest_box *box)
{
	switch (box->op) {
	case GUEST_TSC:
		box->out[0] = read_tsc();
		break;
	case GUEST_RDMSR:
		box->out[0] = read_msr((uint32_t)box->arg[0]);
		break;
	case GUEST_WRMSR:
		write_msr((uint32_t)box->arg[0], box->arg[1]);
		break;
	case GUEST_READ:
		read_page(box);
		break;
	case GUEST_COMPARE:
		compare(box);
		break;
	case GUEST_SPIN:
		spin(box->arg[0]);
		break;
	case GUEST_HYPERCALL:
		box->out[0] = hypercall(box->arg);
		break;
	case GUEST_HAMMER:
		hammer(box);
		break;
	case GUEST_CPUID:
		cpuid(box);
		break;
	case GUEST_HYPERV:
		hyperv(box);
		break;
	case GUEST_HYPERV_WALK:
		hyperv_walk(box);
		break;
	}
}

__attribute__((section("guest_code"), noreturn)) void guest_main(struct guest_box *box)
{
	for (;;) {
		obey(box);
		__asm__ volatile("outb %%al, %0" : : "N"(GUEST_PORT), "a"(0) : "memory");
	}
}

// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A VM's clock and TSCs, of one instant. */
#include "internal.h"

static int save_tsc(const struct kvmclock_vm *vm, const struct kvmclock_abilities *abilities,
		    int i, struct kvmclock_vcpu *vcpu, struct kvmclock_error *error)
{
	struct kvm_vcpu_tsc_scale scale;
	bool catch_up;
	int ret = ask(vm, i, &call_get_khz, NULL, error);

	if (ret <= 0)
		return ret ? ret : fail_vcpu(error, KVMCLOCK_E_UNABLE, i,
					     "KVM does not know this vCPU's TSC frequency");
	vcpu->tsc_khz = (uint32_t)ret;
	vcpu->tsc_ratio = ratio_here(abilities, vcpu->tsc_khz, &catch_up);
	if ((abilities->bits & KVMCLOCK_HAS_SCALE) && (abilities->bits & KVMCLOCK_HAS_SCALING)) {
		ret = get_attr(vm, i, KVM_VCPU_TSC_SCALE, &scale, error);
		if (ret < 0)
			return ret;
		vcpu->tsc_ratio = scale.tsc_ratio;
	}
	if (!(abilities->bits & KVMCLOCK_HAS_OFFSET))
		return 0;
	ret = get_attr(vm, i, KVM_VCPU_TSC_OFFSET, &vcpu->tsc_offset_gtsc, error);
	return ret < 0 ? ret : 0;
}

static int save_msrs(const struct kvmclock_vm *vm, int i, struct kvmclock_vcpu *vcpu,
		     struct kvmclock_error *error)
{
	int ret = get_msr(vm, i, MSR_TSC_ADJUST, &vcpu->tsc_adjust_gtsc, error);

	if (ret > 0)
		vcpu->flags |= KVMCLOCK_VCPU_HAS_TSC_ADJUST;
	if (ret < 0)
		return ret;
	ret = get_msr(vm, i, MSR_TSC_DEADLINE, &vcpu->deadline_gtsc, error);
	if (ret > 0)
		vcpu->flags |= KVMCLOCK_VCPU_HAS_DEADLINE;
	return ret < 0 ? ret : 0;
}

/*
 * MSR 0x10 between two readings of the host's TSC: with an offset it shows
 * that the ratio is right, without one it is all there is.
 */
static int save_gtsc(const struct kvmclock_vm *vm, const struct kvmclock_state *state, int i,
		     struct kvmclock_vcpu *vcpu, uint64_t *width_htsc,
		     struct kvmclock_error *error)
{
	struct kc_host host = host_of_state(state);
	uint64_t before = read_htsc(vm), after, gtsc;
	int ret = get_msr(vm, i, MSR_TSC, &gtsc, error);

	if (ret <= 0)
		return ret ? ret : fail_vcpu(error, KVMCLOCK_E_UNABLE, i, "the vCPU has no MSR 0x10");
	after = read_htsc(vm);
	if (state->flags & KVMCLOCK_STATE_HOST_TSC) {
		uint64_t low = kc_tsc_read_floor(&host, tsc_of(vcpu), before);
		uint64_t high = kc_tsc_read_floor(&host, tsc_of(vcpu), after);

		vcpu->tsc_gtsc = kc_tsc_read_floor(&host, tsc_of(vcpu), state->at.htsc);
		return gtsc - low <= high - low ? 0 :
			fail_vcpu(error, KVMCLOCK_E_RATIO, i,
				  "set tolerance_ppm in the abilities to kvm's tsc_tolerance_ppm; "
				  "is host_khz the host's own?");
	}
	if (after - before > *width_htsc)
		*width_htsc = after - before;
	vcpu->flags |= KVMCLOCK_VCPU_HAS_GTSC;
	vcpu->tsc_gtsc = gtsc - kc_tsc_scale_floor(&host, vcpu->tsc_ratio,
						   before + (after - before) / 2) +
			 kc_tsc_scale_floor(&host, vcpu->tsc_ratio, state->at.htsc);
	return 0;
}

/* KVM's own triple where it has one, else its clock in a bracket of ours. */
static int save_clock(const struct kvmclock_vm *vm, struct kvmclock_state *state,
		      uint32_t *flags, struct kvmclock_error *error)
{
	const uint32_t both = KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	struct kvm_clock_data clock = { 0 };
	struct kvmclock_reading now = { 0 };
	uint64_t after;
	int ret = read_now(vm, state->host_khz, &now, error);

	if (ret)
		return ret;
	state->at = now;
	now.htsc = read_htsc(vm);
	ret = ask(vm, NO_VCPU, &call_get_clock, &clock, error);
	after = read_htsc(vm);
	if (ret < 0)
		return ret;
	state->clock_ns = clock.clock;
	state->width_ns = 0;
	*flags = clock.flags & (both | KVM_CLOCK_TSC_STABLE);
	if ((clock.flags & both) == both) {
		state->at.htsc = clock.host_tsc;
		state->at.realtime_ns = (int64_t)clock.realtime;
		state->at.width_ns = 0;
		return 0;
	}
	state->width_ns = ticks_to_ns_above(after - now.htsc, state->host_khz);
	after = now.htsc + (after - now.htsc) / 2;
	state->at.realtime_ns += (int64_t)kc_mul_div_floor(after - state->at.htsc, 1000000,
							    state->host_khz);
	state->at.htsc = after;
	return 0;
}

/* Did all vCPUs keep their TSCs, and the clock its line, since the reading? */
static int check_still(const struct kvmclock_vm *vm, const struct kvmclock_abilities *abilities,
		       struct kvmclock_state *state, uint32_t flags, struct kvmclock_error *error)
{
	struct kvmclock_state again = { .host_khz = state->host_khz };
	struct kvmclock_vcpu vcpu;
	uint32_t flags_again;
	uint64_t expected, off_ns;
	int ret = save_clock(vm, &again, &flags_again, error);

	for (uint32_t i = 0; !ret && i < state->vcpu_count; i++) {
		vcpu = state->vcpus[i];
		ret = save_tsc(vm, abilities, (int)i, &vcpu, error);
		if (!ret && (!kc_tsc_is_same(tsc_of(&vcpu), tsc_of(&state->vcpus[i])) ||
			     vcpu.tsc_khz != state->vcpus[i].tsc_khz || flags != flags_again))
			ret = fail_vcpu(error, KVMCLOCK_E_MOVING, (int)i,
					"stop all vCPUs, and leave their TSCs alone, during the save");
	}
	if (!ret && again.at.tai_offset_s != state->at.tai_offset_s)
		ret = fail(error, KVMCLOCK_E_MOVING, "TAI's offset changed during the save: save again");
	if (ret || !(flags & KVM_CLOCK_HOST_TSC))
		return ret;
	expected = state->clock_ns + kc_mul_div_floor(again.at.htsc - state->at.htsc, 1000000,
						       state->host_khz);
	if ((state->flags & KVMCLOCK_STATE_LINE_EXACT) && (abilities->bits & KVMCLOCK_HAS_EXACT)) {
		struct kc_host host = host_of_state(state);
		struct kc_line line = line_of_state(state);

		expected = kc_line_read_floor_ns(&line, kc_tsc_read_floor(&host,
					tsc_of(&state->vcpus[0]), again.at.htsc));
	}
	/* Without the line both are rounded down: one ns says nothing. */
	off_ns = magnitude((int64_t)(again.clock_ns - expected));
	if (!(abilities->bits & KVMCLOCK_HAS_EXACT) && off_ns)
		off_ns--;
	state->width_ns = sum(state->width_ns, off_ns);
	return 0;
}

static void set_line(struct kvmclock_state *state, struct kc_line line, uint32_t how)
{
	state->line_gtsc = line.t0_gtsc;
	state->line_ns = line.n0_ns;
	state->line_mul = line.rate.mul;
	state->line_shift = line.rate.shift;
	state->flags |= KVMCLOCK_STATE_LINE | how;
}

/*
 * Is what a guest's page shows what KVM drew there?  The guest can write it, too.
 * It has KVM's slope and reads as KVM_GET_CLOCK does; stock KVM rounds a scaled
 * TSC's slope to kHz, but not that of KVM_GET_CLOCK: there it is nearly so.
 */
static bool is_drawn(const struct kvmclock_abilities *abilities, const struct kvmclock_state *state,
		     const struct kc_line *shown, bool scaled)
{
	const struct kvmclock_vcpu *vcpu = &state->vcpus[0];
	uint64_t ns = kc_line_read_floor_ns(shown, vcpu->tsc_gtsc);
	uint64_t allowed_ns = scaled ? (ns - shown->n0_ns) / vcpu->tsc_khz * 2 + 1000 : 0;

	return kc_rate_is_within_2ppb(shown->rate, rate_drawn(abilities, vcpu->tsc_ratio)) &&
	       magnitude((int64_t)(ns - state->clock_ns)) <= allowed_ns;
}

/* Without the line's ioctls: what the page shows, or what KVM_GET_CLOCK does. */
static int make_line(const struct kvmclock_vm *vm, const struct kvmclock_abilities *abilities,
		     struct kvmclock_state *state, struct kvmclock_error *error)
{
	struct kc_host host = host_of_state(state);
	const struct kvmclock_vcpu *vcpu = &state->vcpus[0];
	bool scaled = is_scaled(host.frac_bits, vcpu->tsc_ratio);
	struct kc_line line = { vcpu->tsc_gtsc, state->clock_ns,
				kc_rate_of_tsc_nearest(&host, vcpu->tsc_ratio) };
	struct kc_pvclock page;
	int ret = read_page(vm, 0, &page, error);

	if (ret < 0)
		return ret;
	if (ret) {
		struct kc_line shown = kc_pvclock_line(&page);

		if (is_drawn(abilities, state, &shown, scaled)) {
			set_line(state, shown, KVMCLOCK_STATE_LINE_PAGE);
			return 0;
		}
	}
	set_line(state, line, 0);
	if (scaled)
		state->width_ns = KVMCLOCK_UNKNOWN;
	return 0;
}

static int save_line(const struct kvmclock_vm *vm, const struct kvmclock_abilities *abilities,
		     struct kvmclock_state *state, uint32_t clock_flags,
		     struct kvmclock_error *error)
{
	struct kc_pvclock page = { 0 };
	int ret;

	if (!state->vcpu_count || !(clock_flags & KVM_CLOCK_HOST_TSC))
		return 0;
	if (!(abilities->bits & KVMCLOCK_HAS_LINE))
		return make_line(vm, abilities, state, error);
	ret = ask(vm, 0, &call_get_line, &page, error);
	if (ret < 0)
		return ret;
	set_line(state, kc_pvclock_line(&page), KVMCLOCK_STATE_LINE_EXACT);
	return 0;
}

static int save_once(const struct kvmclock_vm *vm, const struct kvmclock_abilities *abilities,
		     struct kvmclock_state *state, struct kvmclock_error *error)
{
	uint64_t width_htsc = 0;
	uint32_t flags;
	int ret = 0;

	state->flags = KVMCLOCK_STATE_TSC | KVMCLOCK_STATE_REALTIME;
	if (abilities->bits & KVMCLOCK_HAS_OFFSET)
		state->flags |= KVMCLOCK_STATE_HOST_TSC;
	for (uint32_t i = 0; !ret && i < state->vcpu_count; i++) {
		state->vcpus[i] = (struct kvmclock_vcpu) { 0 };
		ret = save_tsc(vm, abilities, (int)i, &state->vcpus[i], error);
		ret = ret ? ret : save_msrs(vm, (int)i, &state->vcpus[i], error);
	}
	ret = ret ? ret : save_clock(vm, state, &flags, error);
	for (uint32_t i = 0; !ret && i < state->vcpu_count; i++)
		ret = save_gtsc(vm, state, (int)i, &state->vcpus[i], &width_htsc, error);
	ret = ret ? ret : save_line(vm, abilities, state, flags, error);
	ret = ret ? ret : check_still(vm, abilities, state, flags, error);
	if (!ret && width_htsc)
		state->width_ns = sum(state->width_ns,
				      ticks_to_ns_above(width_htsc, state->host_khz));
	return ret;
}

KVMCLOCK_PUBLIC int kvmclock_save(const struct kvmclock_vm *vm,
				  const struct kvmclock_abilities *abilities,
				  struct kvmclock_state *state, struct kvmclock_error *error)
{
	struct kvmclock_state found;
	int ret = KVMCLOCK_E_MOVING;

	error_begin(error);
	if (!abilities || !state || !is_vm(vm) ||
	    !is_size(abilities->size, sizeof(*abilities)) || !is_size(state->size, sizeof(*state)))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (!is_host(abilities) || vm->vcpu_count > KVMCLOCK_VCPUS_MAX ||
	    (vm->vcpu_count && (!vm->vcpu_fds || !state->vcpus)))
		return fail(error, KVMCLOCK_E_ARGUMENT, "abilities are those of kvmclock_probe()");
	if (vm->vcpu_count > state->vcpu_room)
		return fail(error, KVMCLOCK_E_ROOM, "give room for as many vCPUs as the VM has");
	found = (struct kvmclock_state) {
		.size = state->size, .source = KVMCLOCK_SOURCE_OWN,
		.host_khz = abilities->host_khz, .frac_bits = abilities->frac_bits,
		.vcpu_count = vm->vcpu_count, .vcpu_room = state->vcpu_room, .vcpus = state->vcpus,
	};
	for (int i = 0; i < 3 && (ret == KVMCLOCK_E_MOVING || ret == KVMCLOCK_E_RATIO); i++)
		ret = save_once(vm, abilities, &found, error);
	if (ret)
		return ret;
	error_begin(error);
	*state = found;
	return 0;
}

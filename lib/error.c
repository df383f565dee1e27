// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Codes, and what a caller is told. */
#include <string.h>

#include "internal.h"

static const char *const sentences[] = {
	"done",
	"a struct's size is not set or too small, or it asks for what is not known here",
	"an argument is outside its domain",
	"the call is out of order",
	"a system call failed",
	"this kernel or host cannot do it",
	"a vCPU's TSC or the clock changed while it was saved",
	"the memory given is too small",
	"the clock's step would exceed the budget",
	"a TSC's step would exceed the budget",
	"the rate error would exceed the budget",
	"the tier is below the lowest that is allowed",
	"the clock would go backwards",
	"this is not the host that the state is from",
	"this host cannot run the guest's TSC frequency",
	"a TSC does not run at the ratio computed for it",
	"the saved bytes are too few",
	"the bytes are no saved clock",
	"the saved bytes are of an incompatible version",
	"the saved bytes are damaged",
	"the saved bytes hold a value outside its domain",
	"the state lacks what this policy needs",
};

KVMCLOCK_PUBLIC const char *kvmclock_strerror(int32_t code)
{
	uint32_t i = 0u - (uint32_t)code;

	return i < sizeof(sentences) / sizeof(*sentences) ? sentences[i] : "no code of libkvmclock";
}

KVMCLOCK_PUBLIC const char *kvmclock_version(void)
{
	return KVMCLOCK_VERSION;
}

bool is_size(uint32_t size, size_t ours)
{
	return size >= ours && size <= 4096;
}

bool is_asked(const void *object, size_t ours)
{
	const uint8_t *bytes = object;
	uint32_t size;

	if (!object)
		return false;
	memcpy(&size, object, sizeof(size));
	if (!is_size(size, ours))
		return false;
	while (size > ours)
		if (bytes[--size])
			return false;
	return true;
}

bool is_vm(const struct kvmclock_vm *vm)
{
	return is_asked(vm, sizeof(*vm)) && (!vm->ops || is_asked(vm->ops, sizeof(*vm->ops)));
}

static bool is_wanted(const struct kvmclock_error *error)
{
	return error && is_size(error->size, sizeof(*error));
}

void error_begin(struct kvmclock_error *error)
{
	if (is_wanted(error))
		*error = (struct kvmclock_error) {
			.size = error->size, .vcpu = NO_VCPU, .advice = ""
		};
}

void error_changed(struct kvmclock_error *error, uint32_t what)
{
	if (is_wanted(error))
		error->changed |= what;
}

static int tell(struct kvmclock_error *error, int code, int vcpu, const char *advice,
		const char *call, int sys_errno)
{
	if (is_wanted(error)) {
		error->code = code;
		error->vcpu = vcpu;
		error->sys_errno = sys_errno;
		error->call = call;
		error->advice = advice;
	}
	return code;
}

int fail(struct kvmclock_error *error, int code, const char *advice)
{
	return tell(error, code, NO_VCPU, advice, NULL, 0);
}

int fail_vcpu(struct kvmclock_error *error, int code, int vcpu, const char *advice)
{
	return tell(error, code, vcpu, advice, NULL, 0);
}

int fail_call(struct kvmclock_error *error, const struct call *call, int vcpu, int negative_errno)
{
	return tell(error, KVMCLOCK_E_SYSTEM, vcpu, call->advice, call->name, -negative_errno);
}

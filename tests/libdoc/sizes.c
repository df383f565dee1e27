/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Compiled as C and as C++: the header's sizes, and that its functions link. */
#include <kvmclock.h>
#include <stdio.h>

int main(void)
{
	printf("reading %zu\nvcpu %zu\nstate %zu\nerror %zu\n", sizeof(struct kvmclock_reading),
	       sizeof(struct kvmclock_vcpu), sizeof(struct kvmclock_state),
	       sizeof(struct kvmclock_error));
	return kvmclock_msr_rule(0x10) != KVMCLOCK_MSR_DROP || !kvmclock_strerror(0);
}

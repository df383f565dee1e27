// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K17: a system-time MSR written updates that vCPU's page only. */
#include "scene.h"
#include "tap.h"

#define VCPUS 3
/* Stock writes all the pages again 100 ms after an MSR was written. */
#define SETTLE_MS 250

int main(void)
{
	struct pvclock_vcpu_time_info before[VCPUS], after[VCPUS];
	uint32_t writes = 0;
	struct vm vm;
	int i;

	vm_open_running(&vm, 0, VCPUS);
	host_sleep_ms(SETTLE_MS);
	for (i = 0; i < VCPUS; i++)
		before[i] = vcpu_fresh_page(&vm.vcpu[i]);
	vcpu_set_page(&vm.vcpu[1], MSR_CLOCK_NEW);
	host_sleep_ms(SETTLE_MS);
	for (i = 0; i < VCPUS; i++)
		after[i] = vcpu_fresh_page(&vm.vcpu[i]);
	for (i = 0; i < VCPUS; i += 2) {
		tap_ok(before[i].version == after[i].version, "K17: page of vCPU %d untouched", i);
		writes += (after[i].version - before[i].version) / 2;
	}
	tap_figure("K17", "writes_of_other_pages", writes, "writes");
	tap_ok(exact_same_line(&before[1], &after[1]), "K17: vCPU 1 has the same line");
	vm_close(&vm);
	return tap_end();
}

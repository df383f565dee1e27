// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K2: the page's slope against the hardware's rate, in exact arithmetic. */
#include "scene.h"
#include "tap.h"

#define BOUND_MILLI_PPB 240

static uint64_t error_milli_ppb(uint32_t khz)
{
	struct pvclock_vcpu_time_info page;
	struct exact_tsc tsc;
	struct vm vm;
	int64_t error;

	vm_open_running(&vm, khz, 1);
	page = vcpu_fresh_page(&vm.vcpu[0]);
	tsc = vcpu_tsc(&vm.vcpu[0]);
	error = exact_slope_error_milli_ppb(&page, &tsc, host()->khz);
	tap_diag("host %u kHz, guest %u kHz: ratio %#llx / 2^%llu, mul %#x, shift %d, %lld ppt",
		 host()->khz, vm.khz, (unsigned long long)tsc.ratio,
		 (unsigned long long)tsc.frac, page.tsc_to_system_mul, page.tsc_shift,
		 (long long)error);
	vm_close(&vm);
	return (uint64_t)(error < 0 ? -error : error);
}

static void check_scaled(void)
{
	const uint32_t h = host()->khz;
	const uint32_t khz[] = {
		h / 6 * 5, h / 3 * 2, h + h / 2 + 1, h + h / 10000, 1000000, 1234567,
		1999999, 2500000, 2999999, 3333333, 4000037, 5000000,
	};
	uint64_t error, worst = 0;
	unsigned int i;

	for (i = 0; i < sizeof(khz) / sizeof(khz[0]); i++) {
		error = error_milli_ppb(khz[i]);
		if (error > worst)
			worst = error;
	}
	tap_ok(worst <= BOUND_MILLI_PPB, "K2 scaled: rate within 0.24 ppb");
	tap_figure_milli("K2", "scaled_worst_error", (long long)worst, "ppb");
}

int main(void)
{
	uint64_t error = error_milli_ppb(0);

	tap_ok(error <= BOUND_MILLI_PPB, "K2 native: rate within 0.24 ppb");
	tap_figure_milli("K2", "native_error", (long long)error, "ppb");
	if (host()->scaling)
		check_scaled();
	return tap_end();
}

// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K2: the page's slope against the hardware's rate, in exact arithmetic. */
#include "measure.h"
#include "tap.h"

#define BOUND_MILLI_PPB 240

static uint64_t error_milli_ppb(uint32_t khz)
{
	uint64_t error = measure_slope_error_milli_ppb(khz);

	tap_diag("host %u kHz, guest %u kHz: %llu ppt", host()->khz, khz ? khz : host()->khz,
		 (unsigned long long)error);
	return error;
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

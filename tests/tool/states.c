// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * states DIR SEED COUNT: VMs on simulated hosts are saved, each to DIR/N.state, and
 * the abilities of a destination written to DIR/N.host, as kvmclock predict
 * --abilities --json prints them.  For each policy a line: what kvmclock_plan() says of
 * it under the budget that the same line has as options.  VMs whose move is a
 * live update by the line ioctls are moved, and saved again to DIR/N.after.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scene.h"

static struct scene s;
static const char *dir;

static FILE *open_file(uint64_t nr, const char *kind)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%" PRIu64 ".%s", dir, nr, kind);
	file = fopen(path, "w");
	if (!file)
		exit(2);
	return file;
}

static void write_state(uint64_t nr, const char *kind, const struct kvmclock_state *state)
{
	FILE *file = open_file(nr, kind);
	size_t used;

	if (kvmclock_encode(state, s.bytes, sizeof(s.bytes), &used, NULL) ||
	    fwrite(s.bytes, 1, used, file) != used || fclose(file))
		exit(2);
}

static void write_host(uint64_t nr, const struct kvmclock_abilities *host)
{
	static const char *const names[] = { "clock", "realtime", "host_tsc", "offset", "scale", "line",
					     "vm_khz", "scaling", "exact", "master", "reading" };
	FILE *file = open_file(nr, "host");
	const char *comma = "";

	fputs("{\"abilities\": {\"has\": [", file);
	for (int i = 0; i < 11; i++)
		if (host->bits & 1u << i)
			fprintf(file, "%s\"%s\"", comma, names[i]), comma = ", ";
	fprintf(file, "], \"tier\": %u, \"host_khz\": %u, \"frac_bits\": %u, \"tolerance_ppm\": %u, ",
		host->tier, host->host_khz, host->frac_bits, host->tolerance_ppm);
	fprintf(file, "\"reading\": {\"htsc\": %" PRIu64 ", \"realtime_ns\": %" PRId64
		", \"tai_offset_s\": %" PRId64 ", \"realtime_error_ns\": ", host->now.htsc,
		host->now.realtime_ns, host->now.tai_offset_s);
	if (host->now.realtime_error_ns == KVMCLOCK_UNKNOWN)
		fputs("null", file);
	else
		fprintf(file, "%" PRIu64, host->now.realtime_error_ns);
	fprintf(file, ", \"width_ns\": %" PRIu64 "}}}\n", host->now.width_ns);
	if (fclose(file))
		exit(2);
}

static struct kvmclock_request any_request(struct in *in, uint32_t policy)
{
	struct kvmclock_request request = scene_any(policy);

	request.max_step_ns = in_once_in(in, 2) ? in_below(in, 100000) : KVMCLOCK_UNKNOWN >> 1;
	request.max_rate_ppb = in_once_in(in, 2) ? in_below(in, 1000) : KVMCLOCK_UNKNOWN >> 1;
	request.max_step_cycles = in_once_in(in, 2) ? 0 : KVMCLOCK_UNKNOWN;
	request.lowest_tier = (uint32_t)in_below(in, 4);
	request.flags = in_once_in(in, 2) ? KVMCLOCK_NO_BACKWARDS : 0;
	if (policy == KVMCLOCK_LIVE_UPDATE && in_once_in(in, 4))
		request.flags |= KVMCLOCK_SAME_HOST;
	return request;
}

static void print_plan(struct in *in, uint64_t nr, uint32_t policy)
{
	static const char *const names[] = { "", "live-update", "advance", "frozen", "clone" };
	struct kvmclock_request r = any_request(in, policy);
	struct kvmclock_abilities host = s.abilities_b;
	struct kvmclock_plan plan = { .size = sizeof(plan) };

	/* Of a host's file that is older than the state the reading is not used. */
	if (s.state.flags & KVMCLOCK_STATE_REALTIME && host.now.realtime_ns < s.state.at.realtime_ns)
		host.bits &= ~KVMCLOCK_HAS_READING;
	printf("%" PRIu64 " --policy %s --budget-ns %" PRIu64 " --budget-ppb %" PRIu64
	       " --budget-cycles %" PRIu64 " --lowest-tier %u%s%s =", nr, names[policy],
	       r.max_step_ns, r.max_rate_ppb, r.max_step_cycles, r.lowest_tier,
	       r.flags & KVMCLOCK_NO_BACKWARDS ? "" : " --allow-backwards",
	       r.flags & KVMCLOCK_SAME_HOST ? " --same-host" : "");
	printf(" %d", kvmclock_plan(&s.state, &host, &r, &plan, NULL));
	printf(" %u %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %u %d\n",
	       plan.tier, plan.step_ns, plan.step_cycles, plan.rate_error_ppb, plan.slope_error_ppb,
	       plan.elapsed_ns, plan.elapsed_error_ns, plan.reasons,
	       !!(host.bits & KVMCLOCK_HAS_READING));
}

/* The clock's line kept on the same host: nothing may have changed. */
static void move(uint64_t nr)
{
	s.request = scene_any(KVMCLOCK_LIVE_UPDATE);
	s.request.max_rate_ppb = s.request.max_step_cycles = 0;
	if (s.destination != &s.source || scene_restore_vm(&s) || s.restore.plan.tier)
		return;
	for (uint32_t i = 0; i < s.state.vcpu_count; i++)
		if (scene_restore_vcpu(&s, i))
			exit(2);
	if (scene_finish(&s))
		exit(2);
	s.saved.vcpu_room = SIM_VCPUS;
	s.saved.vcpus = s.vcpus_saved;
	if (!kvmclock_save(&s.vm_b, &s.abilities_b, &s.saved, &s.error))
		write_state(nr, "after", &s.saved);
}

int main(int argc, char **argv)
{
	uint64_t nr, count = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	struct in in;

	if (argc != 4)
		return 64;
	dir = argv[1];
	for (nr = 0; nr < count; nr++) {
		in_from_seed(&in, "states", strtoull(argv[2], NULL, 10), nr);
		scene_draw(&in, &s);
		if (!in_once_in(&in, 3))
			scene_befriend(&in, &s);
		if (scene_create(&s))
			continue;
		scene_draw_vcpus(&in, &s, in_once_in(&in, 3));
		if (scene_save(&s) || scene_carry(&s))
			continue;
		write_state(nr, "state", &s.saved);
		scene_away(&s);
		if (scene_probe(&s))
			exit(2);
		write_host(nr, &s.abilities_b);
		for (uint32_t policy = 1; policy <= 4; policy++)
			print_plan(&in, nr, policy);
		move(nr);
	}
	return 0;
}

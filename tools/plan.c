// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "plan.h"

#include <inttypes.h>
#include <string.h>

static const char *const policies[] = { NULL, "live-update", "advance", "frozen", "clone" };

const char *policy_name(uint32_t policy)
{
	return policies[policy];
}

uint32_t policy_of(const char *name)
{
	for (uint32_t i = 1; i <= POLICIES; i++)
		if (!strcmp(policies[i], name))
			return i;
	return 0;
}

static const struct named_bit reasons[] = {
	{ KVMCLOCK_REASON_NO_LINE_IOCTLS, "no_line_ioctls", "the host's KVM has no line: a stock kernel" },
	{ KVMCLOCK_REASON_NO_LINE, "no_line", "the state has no line: TSC and clock are two readings" },
	{ KVMCLOCK_REASON_NO_HOST_TSC, "no_host_tsc", "the state has no host TSC: no offsets, no ratios" },
	{ KVMCLOCK_REASON_NO_REALTIME, "no_realtime", "the state has no realtime: time away cannot be counted by it" },
	{ KVMCLOCK_REASON_NO_TSC, "no_tsc", "the state has not every vCPU's TSC" },
	{ KVMCLOCK_REASON_NO_OFFSET, "no_offset", "the host's KVM has no TSC offset attribute: before 5.16" },
	{ KVMCLOCK_REASON_SCALED_STOCK, "scaled_stock", "the TSC is scaled, and stock KVM draws a rounded slope for it" },
	{ KVMCLOCK_REASON_OTHER_RATE, "other_rate", "the TSC will run at another rate than it did" },
	{ KVMCLOCK_REASON_CATCH_UP, "catch_up", "software would have to catch up the TSC: no scaling here" },
	{ KVMCLOCK_REASON_NO_SCALING, "no_scaling", "the host is faster than the guest, and cannot scale" },
	{ KVMCLOCK_REASON_SAME_HOST, "same_host", "the host's TSC is the one of the state, never restarted" },
	{ KVMCLOCK_REASON_OTHER_HOST, "other_host", "the host's TSC is not the one of the state" },
	{ KVMCLOCK_REASON_REALTIME_BACK, "realtime_back", "realtime here is before the state's: no time away is counted" },
	{ KVMCLOCK_REASON_UNEQUAL_TSCS, "unequal_tscs", "the vCPUs' TSCs differ: no stable bit, and no line on a stock kernel" },
	{ 0 }
};

struct kvmclock_request request_any(uint32_t policy)
{
	return (struct kvmclock_request) {
		.size = sizeof(struct kvmclock_request), .policy = policy,
		.lowest_tier = KVMCLOCK_TIER_3, .max_step_ns = KVMCLOCK_UNKNOWN,
		.max_step_cycles = KVMCLOCK_UNKNOWN, .max_rate_ppb = KVMCLOCK_UNKNOWN,
	};
}

static void known_uint(struct json_object *object, const char *key, uint64_t value)
{
	if (value == KVMCLOCK_UNKNOWN)
		json_object_object_add(object, key, NULL);
	else
		object_uint(object, key, value);
}

static void fill_in(struct json_object *object, const struct kvmclock_plan *plan, bool has_reading)
{
	struct json_object *list = bits_json(plan->reasons, reasons);

	object_uint(object, "tier", plan->tier);
	known_uint(object, "step_ns", plan->step_ns);
	known_uint(object, "step_cycles", plan->step_cycles);
	object_int(object, "rate_error_ppb", plan->rate_error_ppb);
	object_int(object, "slope_error_ppb", plan->slope_error_ppb);
	if (has_reading) {
		known_uint(object, "elapsed_ns", plan->elapsed_ns);
		known_uint(object, "elapsed_error_ns", plan->elapsed_error_ns);
	}
	json_object_object_add(object, "reasons", list);
}

int document_plan(struct document *doc, const struct kvmclock_state *state,
		  const struct kvmclock_abilities *abilities,
		  const struct kvmclock_request *request, struct kvmclock_plan *plan,
		  struct kvmclock_error *error)
{
	struct json_object *object = document_item(doc, "plans");
	int ret;

	*plan = (struct kvmclock_plan) { .size = sizeof(*plan) };
	*error = (struct kvmclock_error) { .size = sizeof(*error) };
	ret = kvmclock_plan(state, abilities, request, plan, error);
	object_text(object, "policy", policy_name(request->policy));
	object_bool(object, "possible", !ret);
	object_int(object, "code", ret);
	object_text(object, "name", code_name(ret));
	object_text(object, "says", kvmclock_strerror(ret));
	object_text(object, "advice", ret ? error->advice : NULL);
	fill_in(object, plan, abilities->bits & KVMCLOCK_HAS_READING);
	return ret;
}

static void print_known(struct json_object *plan, const char *key, const char *unit, FILE *to)
{
	struct json_object *value = json_object_object_get(plan, key);

	if (value)
		fprintf(to, "%s %s", json_object_get_string(value), unit);
	else
		fprintf(to, "not bounded in %s", unit);
}

void print_plan(struct json_object *plan, FILE *to)
{
	const char *policy = json_object_get_string(json_object_object_get(plan, "policy"));

	fprintf(to, "  %-12s ", policy);
	if (!json_object_get_boolean(json_object_object_get(plan, "possible"))) {
		fprintf(to, "no: %s: %s\n", json_object_get_string(json_object_object_get(plan, "says")),
			json_object_get_string(json_object_object_get(plan, "advice")));
		return;
	}
	fprintf(to, "tier %s, worst step of the clock ",
		json_object_get_string(json_object_object_get(plan, "tier")));
	print_known(plan, "step_ns", "ns", to);
	fputs(", of a TSC ", to);
	print_known(plan, "step_cycles", "cycles", to);
	fputc('\n', to);
}

void print_reasons(const char *title, struct json_object *plan, FILE *to)
{
	struct json_object *list = json_object_object_get(plan, "reasons");

	if (json_object_array_length(list))
		fprintf(to, "%s:\n", title);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));
		const struct named_bit *reason = reasons;

		while (reason->name && strcmp(reason->name, name))
			reason++;
		fprintf(to, "  %-14s %s\n", name, reason->name ? reason->meaning : "");
	}
}

// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What is in a saved state, and what a restore could do with it at best. */
#include "plan.h"
#include "verbs.h"

static const char *path;

static error_t parse(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (path)
			argp_error(state, "%s: one file only", argument);
		path = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "give a file with a saved state, or - for stdin");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void add_figures(struct document *doc, const struct saved *saved)
{
	const struct kvmclock_state *state = &saved->state;

	document_figure(doc, "state_size", (int64_t)saved->length, "bytes", "size of the saved state", NULL);
	document_figure(doc, "state_vcpus", state->vcpu_count, "1", "vCPUs of the saved state", NULL);
	document_figure(doc, "state_host_tsc", state->host_khz, "kHz",
			"frequency of the TSC of the host that saved", NULL);
	figure_u64(doc, "state_width", state->width_ns, "ns",
		   "TSC and clock can be so far apart of what they were", "the state does not say");
}

static int run(struct document *doc)
{
	struct kvmclock_plan plan;
	struct kvmclock_error error;
	struct kvmclock_abilities all;
	struct saved saved;
	int ret = saved_read(path, &saved, doc);

	if (!ret) {
		document_state(doc, "state", &saved);
		all = abilities_all(&saved.state);
		for (uint32_t policy = 1; policy <= POLICIES; policy++) {
			struct kvmclock_request request = request_any(policy);

			document_plan(doc, &saved.state, &all, &request, &plan, &error);
		}
		add_figures(doc, &saved);
	}
	saved_free(&saved);
	return ret;
}

static void print(struct document *doc, FILE *to)
{
	struct json_object *state = json_object_object_get(document_json(doc), "state"), *plans;

	if (!state)
		return;
	print_state(state, to);
	fputs("at best, on a host that lacks nothing:\n", to);
	plans = document_list(doc, "plans");
	for (size_t i = 0; i < json_object_array_length(plans); i++)
		print_plan(json_object_array_get_idx(plans, i), to);
	print_reasons("what keeps it from better", json_object_array_get_idx(plans, 0), to);
}

const struct verb verb_decode = {
	.name = "decode",
	.says = "What is in a saved state",
	.arguments = "FILE|-",
	.explains = "Prints every field of a state that libkvmclock saved, with unit and meaning, and what each policy "
		"lacks in it. Bytes that are no sound state are refused whole.",
	.parse = parse,
	.run = run,
	.print = print,
};

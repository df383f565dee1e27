// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A saved state of what another monitor stored of a VM's clock. */
#include "plan.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define FOREIGN_BYTES_MAX (1u << 16)

enum { KEY_FROM = 0x200, KEY_TSC, KEY_KHZ, KEY_VCPUS, KEY_FORCE };

static const struct argp_option options[] = {
	{ "from", KEY_FROM, "FORMAT", 0,
	  "kvm, firecracker, cloud-hypervisor: a struct kvm_clock_data as it lies in memory; "
	  "qemu: the bytes of its section kvmclock; own: a state of libkvmclock", 0 },
	{ "khz", KEY_KHZ, "KHZ[,KHZ]...", 0, "Each vCPU's TSC frequency, or one for all", 0 },
	{ "tsc", KEY_TSC, "TSC[,TSC]...", 0, "Each vCPU's TSC, MSR 0x10, or one for all", 0 },
	{ "vcpus", KEY_VCPUS, "N", 0, "How many vCPUs (default: as many as --tsc or --khz has)", 0 },
	{ "output", 'o', "FILE", 0, "Write the state to FILE", 0 },
	{ "force", KEY_FORCE, NULL, 0, "Over a FILE that is there", 0 },
	{ 0 }
};

/* Numbers of the command line, one for each vCPU. */
struct values {
	uint64_t *value;
	uint32_t count;
};

static struct {
	const char *path, *output;
	int source;
	struct values khz, tsc;
	uint32_t vcpus;
	bool force;
} asked = { .source = -1 };

static void add_values(struct values *values, char *text, uint64_t most, struct argp_state *state)
{
	char *one;

	while ((one = strsep(&text, ","))) {
		uint64_t value = option_number_to(one, most, state), *more;

		if (values->count == KVMCLOCK_VCPUS_MAX)
			argp_error(state, "more than %u vCPUs", KVMCLOCK_VCPUS_MAX);
		more = realloc(values->value, (values->count + 1) * sizeof(*more));
		if (!more)
			argp_failure(state, VERDICT_UNMEASURED, ENOMEM, "%s", one);
		values->value = more;
		values->value[values->count++] = value;
	}
}

/* How many vCPUs there are, and that each has all its values. */
static void check(struct argp_state *state)
{
	const struct values *khz = &asked.khz, *tsc = &asked.tsc;

	if (!asked.path || asked.source < 0)
		argp_error(state, "give --from FORMAT and a file, or - for stdin");
	if (asked.source == (int)KVMCLOCK_SOURCE_OWN) {
		if (khz->count || tsc->count || asked.vcpus)
			argp_error(state, "a state of libkvmclock has its vCPUs' values");
		return;
	}
	if (!asked.vcpus)
		asked.vcpus = khz->count > tsc->count ? khz->count : tsc->count;
	if (!asked.vcpus || !khz->count)
		argp_error(state, "give --khz for each vCPU: no other format has it");
	if ((khz->count != 1 && khz->count != asked.vcpus) ||
	    (tsc->count > 1 && tsc->count != asked.vcpus))
		argp_error(state, "%u vCPUs have %u values of --khz and %u of --tsc", asked.vcpus,
			   khz->count, tsc->count);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case KEY_FROM:
		asked.source = source_of(argument);
		if (asked.source < 0)
			argp_error(state, "%s: kvm, qemu, firecracker, cloud-hypervisor or own", argument);
		return 0;
	case KEY_TSC:
		add_values(&asked.tsc, argument, UINT64_MAX, state);
		return 0;
	case KEY_KHZ:
		add_values(&asked.khz, argument, UINT32_MAX, state);
		return 0;
	case KEY_VCPUS:
		asked.vcpus = (uint32_t)option_number_to(argument, KVMCLOCK_VCPUS_MAX, state);
		if (!asked.vcpus)
			argp_error(state, "%s: not a number of vCPUs", argument);
		return 0;
	case 'o':
		asked.output = argument;
		return 0;
	case KEY_FORCE:
		asked.force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (asked.path)
			argp_error(state, "%s: one file only", argument);
		asked.path = argument;
		return 0;
	case ARGP_KEY_END:
		check(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static uint64_t value_of(const struct values *values, uint32_t vcpu)
{
	return values->value[values->count == 1 ? 0 : vcpu];
}

static int read_foreign(struct saved *saved, const uint8_t *bytes, size_t length, struct document *doc)
{
	struct kvmclock_error error = { .size = sizeof(error) };
	uint64_t *tsc = calloc(asked.vcpus, sizeof(*tsc));
	uint32_t *khz = calloc(asked.vcpus, sizeof(*khz));
	struct kvmclock_foreign foreign = {
		.size = sizeof(foreign), .source = (uint32_t)asked.source, .clock = bytes,
		.clock_bytes = length, .tsc_gtsc = asked.tsc.count ? tsc : NULL, .tsc_khz = khz,
		.vcpu_count = asked.vcpus,
	};
	int ret = -1;

	for (uint32_t i = 0; tsc && khz && i < asked.vcpus; i++) {
		khz[i] = (uint32_t)value_of(&asked.khz, i);
		tsc[i] = asked.tsc.count ? value_of(&asked.tsc, i) : 0;
	}
	if (tsc && khz && !saved_room(saved, asked.vcpus, doc)) {
		ret = kvmclock_from_foreign(&foreign, &saved->state, &error);
		ret = ret ? library_failed(doc, saved->path, &error) : 0;
	}
	free(tsc);
	free(khz);
	return ret;
}

/* As it will be in a file. */
static int encode(struct saved *saved, struct document *doc)
{
	struct kvmclock_error error = { .size = sizeof(error) };
	size_t room = kvmclock_encoded_bytes(&saved->state);

	saved->bytes = malloc(room);
	if (!saved->bytes)
		return fail(saved->path, "no memory for %zu bytes", room);
	if (kvmclock_encode(&saved->state, saved->bytes, room, &saved->length, &error))
		return library_failed(doc, saved->path, &error);
	return 0;
}

static int convert(struct saved *saved, struct document *doc)
{
	size_t length = 0;
	uint8_t *bytes;
	int ret;

	*saved = (struct saved) { .path = strcmp(asked.path, "-") ? asked.path : "stdin" };
	if (asked.source == (int)KVMCLOCK_SOURCE_OWN)
		return saved_read(asked.path, saved, doc);
	bytes = file_read(asked.path, FOREIGN_BYTES_MAX, &length);
	ret = bytes ? read_foreign(saved, bytes, length, doc) : -1;
	free(bytes);
	return ret ? ret : encode(saved, doc);
}

static int run(struct document *doc)
{
	struct saved saved;
	int ret = convert(&saved, doc);

	if (!ret && asked.output)
		ret = file_write(asked.output, saved.bytes, saved.length, asked.force);
	if (!ret) {
		document_state(doc, "state", &saved);
		object_text(document_json(doc), "output", asked.output);
		document_figure(doc, "state_size", (int64_t)saved.length, "bytes", "size of the saved state", NULL);
	}
	saved_free(&saved);
	return ret;
}

static void print(struct document *doc, FILE *to)
{
	struct json_object *json = document_json(doc), *state = json_object_object_get(json, "state");

	if (!state)
		return;
	if (asked.output)
		fprintf(to, "written to %s\n", asked.output);
	print_state(state, to);
}

const struct verb verb_convert = {
	.name = "convert",
	.says = "A saved state of what another monitor stored",
	.arguments = "--from FORMAT FILE|-",
	.explains = "What the other format does not hold is not known to the state either: decode and predict name it. "
		"With --json and --from own, a state of libkvmclock as JSON.",
	.options = options,
	.parse = parse,
	.run = run,
	.print = print,
};

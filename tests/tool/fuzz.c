// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * fuzz VERB SEED CASES FILE SAMPLE...: the verb reads FILE, over and over: each time
 * one of the samples with some bytes changed, cut or doubled, its checksum made
 * right again in most.  Built with the sanitizers, which end it at the first fault;
 * main() of the command is named tool_main.  Prints how often it came to what.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"
#include "verbs.h"

enum { ROOM = 1 << 16 };

static uint64_t noise;

static uint64_t any(uint64_t below)
{
	noise ^= noise << 13;
	noise ^= noise >> 7;
	noise ^= noise << 17;
	return noise % below;
}

static void seal(uint8_t *bytes, size_t length)
{
	uint32_t crc = ~0u;

	if (length < 24)
		return;
	for (int i = 0; i < 8; i++)
		bytes[16 + i] = (uint8_t)((uint64_t)length >> 8 * i);
	for (size_t i = 0; i < length; i++) {
		crc ^= i >= 12 && i < 16 ? 0 : bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	for (int i = 0; i < 4; i++)
		bytes[12 + i] = (uint8_t)(~crc >> 8 * i);
}

static size_t mutate(uint8_t *bytes, size_t length)
{
	static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff };
	uint64_t changes = 1 + any(8), at;

	while (changes-- && length > 16) {
		at = any(length);
		if (any(2))
			bytes[at] = edges[any(5)];
		else
			bytes[at] ^= (uint8_t)(1 << any(8));
		if (!any(16))
			length -= any(length);
		if (!any(16) && length < ROOM / 2) {
			memcpy(bytes + length, bytes + length / 2, length - length / 2);
			length += length - length / 2;
		}
	}
	if (any(4))
		seal(bytes, length);
	return length;
}

static size_t load(const char *path, uint8_t *bytes, size_t room)
{
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(bytes, 1, room, file) : 0;

	if (!length)
		exit(2);
	fclose(file);
	return length;
}

static void store(const char *path, const uint8_t *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(bytes, 1, length, file) != length || fclose(file))
		exit(2);
}

/* Of a verb that has one, any policy. */
static void any_policy(void)
{
	static char *const names[] = { "live-update", "advance", "frozen", "clone" };
	struct argp_state state = { 0 };

	for (int i = 0; verb->options && verb->options[i].name; i++)
		if (!strcmp(verb->options[i].name, "policy"))
			verb->parse(verb->options[i].key, names[any(4)], &state);
}

static int run_once(FILE *to)
{
	static const enum format formats[] = { FORMAT_TEXT, FORMAT_JSON, FORMAT_PROMETHEUS };
	struct document *doc = document_new(verb->name);
	int verdict;

	any_policy();
	settings.format = formats[any(3)];
	if (verb->run(doc) < 0)
		document_judge(doc, VERDICT_UNMEASURED);
	print_document(doc, to);
	verdict = (int)document_verdict(doc);
	document_free(doc);
	return verdict;
}

static void tell_verb(const char *name, char *sample, char *file)
{
	struct argp_state state = { 0 };
	char host[4096];

	for (int i = 0; verbs[i]; i++)
		if (!strcmp(verbs[i]->name, name))
			verb = verbs[i];
	if (!verb)
		exit(64);
	if (!strcmp(name, "diff"))
		verb->parse(ARGP_KEY_ARG, sample, &state);
	if (!strcmp(name, "predict")) {
		snprintf(host, sizeof(host), "%s.host", file);
		for (int i = 0; verb->options[i].name; i++)
			if (!strcmp(verb->options[i].name, "host"))
				verb->parse(verb->options[i].key, strdup(host), &state);
	}
	verb->parse(ARGP_KEY_ARG, file, &state);
}

int main(int argc, char **argv)
{
	static uint8_t bytes[ROOM];
	uint64_t seen[4] = { 0 };
	char host[4096];
	bool mutate_host;
	FILE *null = fopen("/dev/null", "w");

	if (argc < 6 || !null)
		return 64;
	stderr = null;		/* what fail() says; the sanitizers write to the descriptor */
	tell_verb(argv[1], argv[5], argv[4]);
	mutate_host = !strcmp(argv[1], "predict");
	snprintf(host, sizeof(host), "%s.host", argv[4]);
	noise = strtoull(argv[2], NULL, 10) | 1;
	for (long i = strtol(argv[3], NULL, 10); i > 0; i--) {
		size_t length = load(argv[5 + any((uint64_t)argc - 5)], bytes, ROOM / 2);

		store(argv[4], bytes, mutate(bytes, length));
		if (mutate_host) {
			snprintf((char *)bytes, sizeof(bytes), "%s.good", host);
			length = load((char *)bytes, bytes, ROOM / 2);
			if (!any(3))
				bytes[any(length)] = (uint8_t)(any(2) ? '0' + any(10) : any(256));
			if (!any(16))
				length = any(length);
			store(host, bytes, length);
		}
		seen[run_once(null)]++;
	}
	printf("good %" PRIu64 " beyond %" PRIu64 " unsafe %" PRIu64 " unmeasured %" PRIu64 "\n", seen[0],
	       seen[1], seen[2], seen[3]);
	return 0;
}

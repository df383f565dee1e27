// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The kvmclock command: a table of verbs, and what they share. */
#include "tool.h"
#include "verbs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct verb *const verbs[] = {
	&verb_check, &verb_list, &verb_show, &verb_watch, &verb_selftest,
	&verb_predict, &verb_decode, &verb_diff, &verb_convert,
	&verb_guest, &verb_report,
	NULL
};

const struct verb *verb;
struct settings settings = { .root = "" };

enum { KEY_JSON = 0x100, KEY_PROMETHEUS, KEY_BUDGET_NS, KEY_BUDGET_PPB, KEY_ROOT };

static const struct { unsigned used; struct argp_option option; } common[] = {
	{ 0, { "json", KEY_JSON, NULL, 0, "Print JSON; its schema is in doc/schema/", 10 } },
	{ 0, { "prometheus", KEY_PROMETHEUS, NULL, 0, "Print metrics in Prometheus' text format", 10 } },
	{ USES_BUDGET_NS, { "budget-ns", KEY_BUDGET_NS, "NS", 0,
	  "Steps of a clock of up to NS nanoseconds are good (default 0)", 10 } },
	{ USES_BUDGET_PPB, { "budget-ppb", KEY_BUDGET_PPB, "PPB", 0,
	  "Errors of a rate of up to PPB parts in 10^9 are good (default 0)", 10 } },
	{ USES_ROOT, { "root", KEY_ROOT, "DIR", 0, "Look for /proc, /sys and /dev below DIR", 10 } },
};
enum { COMMON_COUNT = sizeof(common) / sizeof(*common) };

const struct argp_option *common_options(const struct verb *of)
{
	static struct argp_option options[COMMON_COUNT + 1];
	int count = 0;

	for (int i = 0; i < COMMON_COUNT; i++)
		if ((of->uses & common[i].used) == common[i].used)
			options[count++] = common[i].option;
	options[count] = (struct argp_option){ 0 };
	return options;
}

int fail(const char *thing, const char *why, ...)
{
	va_list more;

	progress_end();
	fprintf(stderr, "kvmclock: %s: %s: ", verb ? verb->name : "kvmclock", thing);
	va_start(more, why);
	vfprintf(stderr, why, more);
	va_end(more);
	fputc('\n', stderr);
	return -1;
}

static struct { struct timespec begun, last; bool shown; } told;

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

void progress(const char *what, ...)
{
	va_list more;

	if (!isatty(STDERR_FILENO) || seconds_since(&told.begun) < 2 || seconds_since(&told.last) < 0.5)
		return;
	fputs("\r\033[K", stderr);
	va_start(more, what);
	vfprintf(stderr, what, more);
	va_end(more);
	fflush(stderr);
	clock_gettime(CLOCK_MONOTONIC, &told.last);
	told.shown = true;
}

void progress_end(void)
{
	if (told.shown)
		fputs("\r\033[K", stderr);
	told.shown = false;
}

uint64_t option_number(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	if (errno || *text < '0' || *text > '9' || *end)
		argp_error(state, "%s: not a whole number", text);
	return value;
}

uint64_t option_number_to(const char *text, uint64_t most, struct argp_state *state)
{
	uint64_t value = option_number(text, state);

	if (value > most)
		argp_error(state, "%s: at most %llu", text, (unsigned long long)most);
	return value;
}

/* With room for an uncertainty on top of it. */
static uint64_t budget(const char *argument, struct argp_state *state)
{
	uint64_t value = option_number(argument, state);

	if (value > INT64_MAX)
		argp_error(state, "%s: a budget is at most %lld", argument, (long long)INT64_MAX);
	return value;
}

static error_t parse_common(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case KEY_JSON:
	case KEY_PROMETHEUS:
		if (settings.format != FORMAT_TEXT)
			argp_error(state, "one of --json and --prometheus, once");
		settings.format = key == KEY_JSON ? FORMAT_JSON : FORMAT_PROMETHEUS;
		return 0;
	case KEY_BUDGET_NS:
		settings.budget_ns = budget(argument, state);
		return 0;
	case KEY_BUDGET_PPB:
		settings.budget_ppb = budget(argument, state);
		return 0;
	case KEY_ROOT:
		settings.root = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (!verb->arguments)
			argp_error(state, "%s: takes no arguments", argument);
		return ARGP_ERR_UNKNOWN;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void parse_options(int argc, char **argv)
{
	static char name[64];
	const struct argp shared = { .options = common_options(verb), .parser = parse_common };
	const struct argp_child children[] = { { &shared, 0, "As on other verbs:", 9 }, { 0 } };
	char text[4096];
	const struct argp argp = {
		.options = verb->options, .parser = verb->parse, .args_doc = verb->arguments,
		.doc = text, .children = children,
	};

	snprintf(text, sizeof(text), "%s.%s%s\vExit: 0 good, 1 beyond the budget, 2 unsafe, 3 cannot be measured here, 64 usage.",
		 verb->says, verb->explains ? "\n\n" : "", verb->explains ? verb->explains : "");
	snprintf(name, sizeof(name), "kvmclock %s", verb->name);
	argv[0] = name;
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		exit(VERDICT_USAGE);
}

static void print_help(FILE *to)
{
	fputs("usage: kvmclock VERB [OPTION]... [ARGUMENT]...\n"
	      "What the KVM clocks of this host, of its VMs and of saved states are, and what they do.\n\n", to);
	for (int i = 0; verbs[i]; i++)
		fprintf(to, "  %-10s %s\n", verbs[i]->name, verbs[i]->says);
	fputs("\n  kvmclock VERB --help          a verb's options\n"
	      "  kvmclock completion bash|zsh  what the shell is to know\n"
	      "  kvmclock --version\n\n"
	      "Exit: 0 good, 1 beyond the budget, 2 unsafe, 3 cannot be measured here, 64 usage.\n", to);
}

static const struct verb *find_verb(const char *name)
{
	for (int i = 0; verbs[i]; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

/* What needs no verb of the table; only returns when it is none of that. */
static void without_verb(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";

	if (!strcmp(first, "--help") || !strcmp(first, "-?") || (argc == 2 && !strcmp(first, "help"))) {
		print_help(stdout);
		exit(fflush(stdout) ? VERDICT_UNMEASURED : VERDICT_GOOD);
	}
	if (!strcmp(first, "--version")) {
		puts("kvmclock " KVMCLOCK_VERSION);
		exit(fflush(stdout) ? VERDICT_UNMEASURED : VERDICT_GOOD);
	}
	if (!strcmp(first, "completion") && argc == 3 && print_completion(argv[2], stdout))
		exit(fflush(stdout) ? VERDICT_UNMEASURED : VERDICT_GOOD);
	if (argc < 2)
		print_help(stderr);
	else if (!strcmp(first, "completion"))
		fprintf(stderr, "kvmclock: completion: say for which shell: bash or zsh\n");
	else
		fprintf(stderr, "kvmclock: %s: no such verb: kvmclock --help lists them\n", first);
	exit(VERDICT_USAGE);
}

int main(int argc, char **argv)
{
	struct document *doc;
	enum verdict verdict;

	argp_err_exit_status = VERDICT_USAGE;
	clock_gettime(CLOCK_MONOTONIC, &told.begun);
	verb = argc > 1 ? find_verb(argv[1]) : NULL;
	if (!verb && argc == 3 && !strcmp(argv[1], "help") && (verb = find_verb(argv[2])))
		argv[2] = "--help";
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "-h"))
			argv[i] = "--help";
	if (!verb)
		without_verb(argc, argv);
	parse_options(argc - 1, argv + 1);
	doc = document_new(verb->name);
	if (verb->run(doc) < 0)
		document_judge(doc, VERDICT_UNMEASURED);
	progress_end();
	print_document(doc, stdout);
	verdict = document_verdict(doc);
	document_free(doc);
	if (fflush(stdout) || ferror(stdout))
		return fail("output", "%s: what was printed is not whole", strerror(errno)), VERDICT_UNMEASURED;
	return verdict;
}

// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * gnuplot draws.  Its script has numbers and words of ours, nothing of a document's strings;
 * of its SVG, what is drawn is taken, and style.css says how that looks.
 */
#include "tools/report/report.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define SVG_MAX (1 << 20)

static FILE *temporary(void)
{
	FILE *file = tmpfile();

	if (!file)
		fail("plots", "a temporary file: %s: make room in /tmp", strerror(errno));
	return file;
}

static int run(FILE *in, FILE *out)
{
	/* -d: without what the user's own files have it do */
	char *const argv[] = { "gnuplot", "-d", "-", NULL }, *const environment[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL };
	posix_spawn_file_actions_t actions;
	int status = -1, error;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(in), 0);
	posix_spawn_file_actions_adddup2(&actions, fileno(out), 1);
	error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		return fail("gnuplot", "%s: it draws the plots: apt-get install gnuplot-nox", strerror(error));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return fail("gnuplot", "ended with %#x: what it says is above: install gnuplot-nox of Debian 12 or later",
			    status);
	return 0;
}

/* Said in style.css once, and here of each line and word: most of what gnuplot writes. */
static const char *const said_before[] = {
	" fill=\"none\" color=\"black\" stroke=\"currentColor\" stroke-width=\"1.00\"",
	" fill=\"none\" color=\"white\" stroke=\"currentColor\" stroke-width=\"1.00\"",
	" fill=\"none\" color=\"black\" stroke=\"currentColor\"", " color=\"black\"",
	" stroke-linecap=\"butt\" stroke-linejoin=\"miter\"", " font-family=\"system-ui\"", " class=\"gridline\"",
	"<title>ours</title>", "<title>stock</title>", "<g>\n</g>\n", "<g >\n</g>\n",
};

static size_t said_at(const char *svg)
{
	static const char id[] = " id=\"gnuplot_";	/* a page may have it once */
	const char *end;

	if (!strncmp(svg, id, strlen(id)) && (end = strchr(svg + strlen(id), '"')))
		return (size_t)(end + 1 - svg);
	for (size_t i = 0; i < sizeof(said_before) / sizeof(said_before[0]); i++)
		if (!strncmp(svg, said_before[i], strlen(said_before[i])))
			return strlen(said_before[i]);
	return 0;
}

static void shorten(char *svg)
{
	char *from = svg, *to = svg;

	while (*from) {
		size_t said = said_at(from);

		from += said;
		if (said)
			continue;
		if (strchr("\n\t ", *from) && strchr("\n\t ", from[1]) && from[1])
			from++;
		else
			*to++ = *from++;
	}
	*to = '\0';
}

static char *drawing_of(char *svg)
{
	char *begin = strstr(svg, "</defs>"), *end = strstr(svg, "</svg>");
	/* The group that is open there has an id, which a page may not have twice. */
	char *close = end;

	if (!begin || !end || begin > end)
		return NULL;
	while (close > begin && strncmp(close, "</g>", 4))
		close--;
	if (close == begin)
		return NULL;
	*close = '\0';
	memmove(svg, begin + 7, (size_t)(close - begin - 7) + 1);
	/* Once more, for what is empty by then. */
	shorten(svg);
	shorten(svg);
	return svg;
}

char *gnuplot_svg(char *script)
{
	FILE *in = temporary(), *out = in ? temporary() : NULL;
	char *svg = NULL, *drawing = NULL;
	size_t length;

	if (!out)
		goto end;
	fputs(script, in);
	rewind(in);
	if (run(in, out) < 0)
		goto end;
	svg = malloc(SVG_MAX + 1);
	if (!svg)
		abort();
	rewind(out);
	length = fread(svg, 1, SVG_MAX, out);
	svg[length] = '\0';
	drawing = drawing_of(svg);
	if (!drawing) {
		fail("gnuplot", "no SVG came from it: install gnuplot-nox of Debian 12 or later");
		free(svg);
	}
end:
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	free(script);
	return drawing;
}

// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Completions, from the same tables as --help: they cannot be of another version. */
#include "tool.h"

#include <ctype.h>
#include <string.h>

static void print_options(const struct argp_option *options, FILE *to)
{
	for (; options && (options->name || options->doc); options++)
		if (options->name && !(options->flags & OPTION_HIDDEN))
			fprintf(to, " --%s", options->name);
}

static void print_bash(FILE *to)
{
	int i;

	fputs("# bash completion of kvmclock: made by kvmclock completion bash\n"
	      "_kvmclock()\n{\n\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords='--help --version help completion", to);
	for (i = 0; verbs[i]; i++)
		fprintf(to, " %s", verbs[i]->name);
	fputs("'\n\telif [ \"${word#-}\" != \"$word\" ]; then\n\t\tcase ${COMP_WORDS[1]} in\n", to);
	for (i = 0; verbs[i]; i++) {
		fprintf(to, "\t\t%s) words='--help", verbs[i]->name);
		print_options(verbs[i]->options, to);
		print_options(common_options(verbs[i]), to);
		fputs("' ;;\n", to);
	}
	fputs("\t\tesac\n\telif [ \"${COMP_WORDS[1]}\" = completion ]; then\n\t\twords='bash zsh'\n"
	      "\telif [ \"${COMP_WORDS[1]}\" = help ]; then\n\t\twords='", to);
	for (i = 0; verbs[i]; i++)
		fprintf(to, "%s%s", i ? " " : "", verbs[i]->name);
	fputs("'\n\tfi\n\t# Without words of ours, file names.\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
	      "complete -o default -F _kvmclock kvmclock\n", to);
}

/* In single quotes; zsh's brackets and colons, too, would end a description. */
static void print_quoted(const char *text, FILE *to)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", to);
		else if (strchr("[]:\\", *text))
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
	}
}

static void print_zsh_options(const struct argp_option *options, FILE *to)
{
	for (; options && (options->name || options->doc); options++) {
		if (!options->name || (options->flags & OPTION_HIDDEN))
			continue;
		fprintf(to, " \\\n\t\t\t'--%s%s[", options->name, options->arg ? "=" : "");
		print_quoted(options->doc ? options->doc : "", to);
		fputc(']', to);
		if (options->arg)
			fprintf(to, ":%s:%s", options->arg, strstr(options->arg, "FILE") ? "_files" : "");
		fputc('\'', to);
	}
}

static void print_zsh(FILE *to)
{
	int i;

	fputs("#compdef kvmclock\n# made by kvmclock completion zsh\n_kvmclock()\n{\n"
	      "\tlocal -a verbs=(\n", to);
	for (i = 0; verbs[i]; i++) {
		fprintf(to, "\t\t'%s:", verbs[i]->name);
		print_quoted(verbs[i]->says, to);
		fputs("'\n", to);
	}
	fputs("\t\t'help:a verb'\\''s options'\n\t\t'completion:what the shell is to know'\n\t)\n"
	      "\tif ((CURRENT == 2)); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n"
	      "\tlocal verb=$words[2]\n\tshift words\n\t((CURRENT--))\n\tcase $verb in\n", to);
	for (i = 0; verbs[i]; i++) {
		fprintf(to, "\t%s)\n\t\t_arguments '--help[its options]'", verbs[i]->name);
		print_zsh_options(verbs[i]->options, to);
		print_zsh_options(common_options(verbs[i]), to);
		fputs(" \\\n\t\t\t'*:file:_files' ;;\n", to);
	}
	fputs("\tcompletion) _values shell bash zsh ;;\n\thelp) _describe verb verbs ;;\n\tesac\n}\n"
	      "_kvmclock \"$@\"\n", to);
}

bool print_completion(const char *shell, FILE *to)
{
	if (!strcmp(shell, "bash"))
		print_bash(to);
	else if (!strcmp(shell, "zsh"))
		print_zsh(to);
	else
		return false;
	return true;
}

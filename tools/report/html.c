// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Text into HTML: all of it comes from documents, and none of it may be taken for markup. */
#include "tools/report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 400		/* signs of one string */
#define REPLACEMENT "\xef\xbf\xbd"

/* Bytes of the sign at text, 0 when it is none in UTF-8; its number. */
static int sign_at(const unsigned char *text, uint32_t *number)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int length = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3 : text[0] >> 3 == 30 ? 4 : 0;
	int i;

	*number = length == 1 ? text[0] : text[0] & (0xff >> (length + 1));
	for (i = 1; i < length; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		*number = *number << 6 | (text[i] & 0x3f);
	}
	if (!length || *number < least[length] || *number > 0x10ffff || *number >> 11 == 0x1b)
		return 0;
	return length;
}

/* Controls, and what turns the direction of text or is not seen. */
static bool is_shown(uint32_t number)
{
	return number >= 0x20 && !(number >= 0x7f && number < 0xa0) && !(number >= 0x200b && number <= 0x200f) &&
	       !(number >= 0x2028 && number <= 0x202e) && !(number >= 0x2060 && number <= 0x206f) &&
	       number != 0xfeff && number < 0xe0000 && number != 0xfffe && number != 0xffff;
}

void html_text(const char *text, FILE *to)
{
	int signs = 0, length;
	uint32_t number;

	for (; *text; text += length ? length : 1) {
		if (signs++ == TEXT_MAX) {
			fputs("…", to);
			return;
		}
		length = sign_at((const unsigned char *)text, &number);
		if (!length || (!is_shown(number) && number != '\n' && number != '\t'))
			fputs(REPLACEMENT, to);
		else if (length == 1 && strchr("&<>\"'`{}", *text))
			fprintf(to, "&#%d;", *text);
		else
			fprintf(to, "%.*s", length, text);
	}
}

/* In groups of three, and as it is for machines. */
void html_number(int64_t value, FILE *to)
{
	char digits[24];
	int length, i;

	length = snprintf(digits, sizeof(digits), "%" PRIu64, magnitude(value));
	fprintf(to, "<data value=\"%" PRId64 "\">%s", value, value < 0 ? "\u2212" : "");
	for (i = 0; i < length; i++)
		fprintf(to, "%s%c", i && (length - i) % 3 == 0 ? "\u202f" : "", digits[i]);
	fputs("</data>", to);
}

static void put_slot(const char *name, size_t length, const struct slot *slots, struct report *report, FILE *to)
{
	for (; slots->name; slots++)
		if (strlen(slots->name) == length && !memcmp(slots->name, name, length)) {
			slots->put(report, to);
			return;
		}
	abort();	/* a page of this version has no other */
}

void html_fill(const char *text, const char *end, const struct slot *slots, struct report *report, FILE *to)
{
	const char *open, *close;

	while ((open = memmem(text, (size_t)(end - text), "{{", 2))) {
		fwrite(text, 1, (size_t)(open - text), to);
		close = memmem(open, (size_t)(end - open), "}}", 2);
		if (!close)
			abort();
		put_slot(open + 2, (size_t)(close - open - 2), slots, report, to);
		text = close + 2;
	}
	fwrite(text, 1, (size_t)(end - text), to);
}

// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Files in: documents, events before them, and the lines of a host's console between. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"

#define DEPTH_MAX 16
#define SCHEMA "kvmclock/1"

struct reader {
	struct report *report;
	const char *file;
	uint8_t *bytes;
	size_t length, at, line, other_lines, events, documents;
	struct json_object *greatest;
};

static void keep_event(struct reader *reader, struct json_object *event)
{
	size_t count = json_object_array_length(reader->greatest);

	reader->events++;
	if (count < EVENTS_MAX) {
		json_object_array_add(reader->greatest, event);
	} else if (step_of(event) > step_of(json_object_array_get_idx(reader->greatest, count - 1))) {
		json_object_array_put_idx(reader->greatest, count - 1, event);
	} else {
		json_object_put(event);
		return;
	}
	json_object_array_sort(reader->greatest, by_step);
}

static int refuse_schema(struct reader *reader, struct json_object *schema)
{
	char name[40];
	size_t i;

	snprintf(name, sizeof(name), "%s", json_object_get_string(schema));
	for (i = 0; name[i]; i++)
		if (name[i] < ' ' || name[i] > '~')
			name[i] = '?';
	return fail(reader->file, "a document of the schema '%s', and this command reads " SCHEMA
		    ": use the kvmclock of the version that printed it", name);
}

static int take_document(struct reader *reader, struct json_object *doc)
{
	struct report *report = reader->report;
	struct run *run = &report->runs[report->count];
	char why[200];

	if (!document_valid(doc, why, sizeof(why)))
		return fail(reader->file, "line %zu: %s: have kvmclock print it anew", reader->line, why);
	if (report->count == RUNS_MAX)
		return fail(reader->file, "more than %d documents: make a page of fewer", RUNS_MAX);
	report->count++;
	reader->documents++;
	*run = (struct run) { .doc = json_object_get(doc), .file = reader->file, .events = reader->events,
			      .greatest = reader->greatest };
	reader->greatest = json_object_new_array();
	reader->events = 0;
	return 0;
}

static int take_value(struct reader *reader, struct json_object *value)
{
	struct json_object *schema;
	int result;

	if (!json_object_object_get_ex(value, "schema", &schema)) {
		keep_event(reader, value);
		return 0;
	}
	if (!json_object_is_type(schema, json_type_string) || strcmp(json_object_get_string(schema), SCHEMA))
		result = refuse_schema(reader, schema);
	else
		result = take_document(reader, value);
	json_object_put(value);
	return result;
}

static void skip_line(struct reader *reader)
{
	bool said = false;

	for (; reader->at < reader->length && reader->bytes[reader->at] != '\n'; reader->at++)
		said |= !strchr(" \t\r", reader->bytes[reader->at]);
	reader->other_lines += said;
	if (reader->at < reader->length)
		reader->at++;
	reader->line++;
}

static int read_value(struct reader *reader, struct json_tokener *tokener)
{
	struct json_object *value;
	size_t end;

	json_tokener_reset(tokener);
	value = json_tokener_parse_ex(tokener, (char *)reader->bytes + reader->at, (int)(reader->length - reader->at));
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		return fail(reader->file, "line %zu: the document that begins here has no end: "
			    "let kvmclock finish, and try again", reader->line);
	if (!value)
		return fail(reader->file, "line %zu: no JSON: %s: have kvmclock print it anew", reader->line,
			    json_tokener_error_desc(json_tokener_get_error(tokener)));
	if (take_value(reader, value) < 0)
		return -1;
	for (end = reader->at + json_tokener_get_parse_end(tokener); reader->at < end; reader->at++)
		reader->line += reader->bytes[reader->at] == '\n';
	return 0;
}

static int read_all(struct reader *reader)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	int result = 0;

	while (!result && reader->at < reader->length) {
		if (reader->bytes[reader->at] == '{')
			result = read_value(reader, tokener);
		else
			skip_line(reader);
	}
	json_tokener_free(tokener);
	return result;
}

int report_read(struct report *report, const char *file)
{
	struct reader reader = { .report = report, .file = file, .line = 1,
				 .greatest = json_object_new_array() };
	int result = -1;

	reader.bytes = file_read(file, FILE_MAX, &reader.length);
	if (reader.bytes)
		result = read_all(&reader);
	if (!result && !reader.documents && reader.events)
		result = fail(file, "%zu events and no document: end watch by Ctrl-C, it prints one then",
			      reader.events);
	else if (!result && !reader.documents)
		result = fail(file, "no document in it: name a file that kvmclock VERB --json was written to");
	if (!result)
		report->runs[report->count - 1].other_lines = reader.other_lines;
	free(reader.bytes);
	json_object_put(reader.greatest);
	return result;
}

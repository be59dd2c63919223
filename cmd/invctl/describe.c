/* JSON objects and log records as text for people. */
#include "invctl/describe.h"

#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "invctl/level.h"
#include "invctl/log_tail.h"
#include "invctl/time_text.h"

#define SAFE_IN_SHELL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%^"

/* Worst case: every byte is escaped as \xNN. */
void describe_text(const char *text)
{
	size_t size = 4 * strlen(text) + 1;
	char *safe = malloc(size);

	if (!safe)
		return;
	escape_text(text, safe, size);
	fputs(safe, stdout);
	free(safe);
}

static void print_quoted(const char *word)
{
	if (*word && strspn(word, SAFE_IN_SHELL) == strlen(word)) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (const char *at = word; *at;) {
		size_t plain = strcspn(at, "'");
		char *part = strndup(at, plain);

		describe_text(part ? part : "");
		free(part);
		at += plain;
		if (*at == '\'') {
			fputs("'\\''", stdout);
			at++;
		}
	}
	putchar('\'');
}

static void print_words(struct json_object *array)
{
	size_t count = json_object_array_length(array);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			putchar(' ');
		print_quoted(json_object_get_string(json_object_array_get_idx(array, i)));
	}
}

static void print_value(struct json_object *value)
{
	if (json_object_is_type(value, json_type_boolean))
		fputs(json_object_get_boolean(value) ? "yes" : "no", stdout);
	else if (json_object_is_type(value, json_type_array))
		print_words(value);
	else
		describe_text(json_object_get_string(value));
}

/* At most one object lies in another of ours, and one in that: cancel.actor.uid. */
static void describe_level(struct json_object *object, const char *prefix)
{
	struct json_object_iterator at = json_object_iter_begin(object);
	struct json_object_iterator end = json_object_iter_end(object);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		struct json_object *value = json_object_iter_peek_value(&at);
		char key[64];

		snprintf(key, sizeof(key), "%s%s", prefix, json_object_iter_peek_name(&at));
		if (json_object_is_type(value, json_type_object)) {
			strncat(key, ".", sizeof(key) - strlen(key) - 1);
			describe_level(value, key);
		} else if (value) {
			printf("%s: ", key);
			print_value(value);
			putchar('\n');
		}
	}
}

void describe_object(struct json_object *object)
{
	describe_level(object, "");
}

void describe_log(const struct log_tail *tail)
{
	if (tail->count > 0)
		puts("log:");
	for (size_t i = 0; i < tail->count; i++) {
		const struct log_record *record = log_tail_at(tail, i);
		char time[TIME_TEXT_BYTES];

		time_format(record->time_ns, time);
		printf("  %s %-7s ", time, level_name(record->level));
		describe_text(record->text);
		putchar('\n');
	}
}

/* JSON, written as it goes: see json_writer.h. */
#include "common/json_writer.h"

#include <math.h>
#include <string.h>

#include "common/escape.h"
#include "common/time_text.h"
#include "invctl.h"

struct json json_begin(FILE *out, unsigned lines)
{
	return (struct json){.out = out, .lines = lines};
}

static void write_indent(struct json *json)
{
	fputc('\n', json->out);
	for (unsigned i = 0; i < json->depth && json->lines > 1; i++)
		fputs("  ", json->out);
}

/* A point as \uXXXX, or as two of them. */
static void write_escape(FILE *out, uint32_t point)
{
	if (point >= 0x10000)
		fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
		        0xdc00 + ((point - 0x10000) & 0x3ff));
	else
		fprintf(out, "\\u%04x", point);
}

/* One character that may not stand as it is; the bytes of text that it took. */
static size_t write_special(FILE *out, const char *text)
{
	static const char letters[] = "\"\"\\\\\nn\tt\rr\bb\ff";
	uint32_t point;
	size_t length = utf8_decode(text, &point);
	const char *letter = length == 1 ? strchr(letters, *text) : NULL;

	if (length == 0) {
		fputs("\xef\xbf\xbd", out); /* U+FFFD */
		return 1;
	}
	if (letter)
		fprintf(out, "\\%c", letter[1]);
	else if (acts_on_terminal(point))
		write_escape(out, point);
	else
		fwrite(text, 1, length, out);
	return length;
}

static void write_string(FILE *out, const char *text)
{
	fputc('"', out);
	while (*text) {
		size_t plain = 0;

		while (text[plain] >= 0x20 && text[plain] < 0x7f && text[plain] != '"' &&
		       text[plain] != '\\')
			plain++;
		fwrite(text, 1, plain, out);
		text += plain;
		if (*text)
			text += write_special(out, text);
	}
	fputc('"', out);
}

/* What stands before a value. */
static void begin_value(struct json *json, const char *key)
{
	uint64_t level = UINT64_C(1) << json->depth;

	if (json->depth == 0)
		return;
	if (json->filled & level)
		fputc(',', json->out);
	json->filled |= level;
	if (json->depth <= json->lines)
		write_indent(json);
	if (key) {
		write_string(json->out, key);
		fputs(json->depth <= json->lines ? ": " : ":", json->out);
	}
}

static void begin_level(struct json *json, const char *key, bool array)
{
	begin_value(json, key);
	fputc(array ? '[' : '{', json->out);
	json->depth++;

	uint64_t level = UINT64_C(1) << json->depth;

	json->filled &= ~level;
	json->arrays = array ? json->arrays | level : json->arrays & ~level;
}

void json_object(struct json *json, const char *key)
{
	begin_level(json, key, false);
}

void json_array(struct json *json, const char *key)
{
	begin_level(json, key, true);
}

void json_end(struct json *json)
{
	uint64_t level = UINT64_C(1) << json->depth;
	bool broken = json->depth <= json->lines && json->filled & level;

	json->depth--;
	if (broken)
		write_indent(json);
	fputc(json->arrays & level ? ']' : '}', json->out);
	if (json->depth == 0)
		fputc('\n', json->out);
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	fputs("null", json->out);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_number(struct json *json, const char *key, int64_t number)
{
	begin_value(json, key);
	fprintf(json->out, "%lld", (long long)number);
}

void json_decimal(struct json *json, const char *key, double number)
{
	begin_value(json, key);
	if (isfinite(number))
		fprintf(json->out, "%.6g", number);
	else
		fputs("null", json->out);
}

void json_text(struct json *json, const char *key, const char *text)
{
	if (!text) {
		json_null(json, key);
		return;
	}
	begin_value(json, key);
	write_string(json->out, text);
}

void json_text_or_null(struct json *json, const char *key, const char *text)
{
	json_text(json, key, text && *text ? text : NULL);
}

void json_number_or_null(struct json *json, const char *key, int64_t number, int64_t nothing)
{
	if (number == nothing)
		json_null(json, key);
	else
		json_number(json, key, number);
}

void json_time(struct json *json, const char *key, int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];

	if (time_ns != 0)
		time_format(time_ns, text);
	json_text(json, key, time_ns != 0 ? text : NULL);
}

void json_id(struct json *json, const char *key, const uint8_t id[16])
{
	static const uint8_t none[16];
	char text[INV_ID_TEXT_BYTES];

	inv_id_format(id, text);
	json_text(json, key, memcmp(id, none, sizeof(none)) != 0 ? text : NULL);
}

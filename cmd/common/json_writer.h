/*
 * JSON, written as it goes: no tree is kept. Text that is not UTF-8 gets U+FFFD in the place of
 * each bad byte. Characters that could act on a terminal are written as \uXXXX, which is
 * the same text to a reader of JSON.
 *
 * A key stands before each value in an object, and is NULL in an array and at the top.
 */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned lines; /* so many levels have a line for each member; what is in them has one */
	unsigned depth;
	uint64_t arrays; /* a bit for each level */
	uint64_t filled; /* it has a member */
};

/* All levels over many lines. */
enum { JSON_DEPTH_MAX = 63 };

/* Errors of the stream are left to its owner. */
struct json json_begin(FILE *out, unsigned lines);

void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);

/* End the innermost object or array. The outermost one ends with a newline. */
void json_end(struct json *json);

void json_null(struct json *json, const char *key);
void json_bool(struct json *json, const char *key, bool value);
void json_number(struct json *json, const char *key, int64_t number);
void json_decimal(struct json *json, const char *key, double number);

/* Null where the text is NULL. */
void json_text(struct json *json, const char *key, const char *text);

/* Null where the text is NULL or empty. */
void json_text_or_null(struct json *json, const char *key, const char *text);

/* Null where the number is `nothing`. */
void json_number_or_null(struct json *json, const char *key, int64_t number, int64_t nothing);

/* RFC 3339 (time_text.h); null for 0. */
void json_time(struct json *json, const char *key, int64_t time_ns);

/* Null for the id that is all zero. */
void json_id(struct json *json, const char *key, const uint8_t id[16]);

#endif

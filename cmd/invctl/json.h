/*
 * JSON for list, show, why and status: the keys that scripts rely on. Text that
 * is not UTF-8 gets U+FFFD in the place of each bad byte.
 */
#ifndef JSON_H
#define JSON_H

#include <json-c/json_object.h>
#include <stdbool.h>

#include "invctl.h"

struct details;

/* Each returns a new reference. NULL stands for JSON's null. */

struct json_object *json_text(const char *text);         /* null for NULL */
struct json_object *json_text_or_null(const char *text); /* null for "" too */
struct json_object *json_time(int64_t time_ns);          /* null for 0 */

/* An invocation, without its log. */
struct json_object *json_invocation(const struct inv_info *info, const struct details *details);

/* The last request: null, or state, cause, reason, actor, time. */
struct json_object *json_cancel(const struct inv_info *info);

/* Write it to stdout, on many lines or on one; no newline behind it. */
void json_write(struct json_object *object, bool pretty);

#endif

/* JSON for list, show, why and status. */
#include "invctl/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "invctl/details.h"
#include "invctl/time_text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct json_object *json_text(const char *text)
{
	size_t used = 0;

	if (!text)
		return NULL;

	/* At worst every byte becomes a replacement character. */
	char *clean = malloc(strlen(text) * strlen(REPLACEMENT) + 1);

	if (!clean)
		return NULL;
	while (*text) {
		size_t length = utf8_length(text);
		const char *source = length > 0 ? text : REPLACEMENT;
		size_t copied = length > 0 ? length : strlen(REPLACEMENT);

		memcpy(clean + used, source, copied);
		used += copied;
		text += length > 0 ? length : 1;
	}

	struct json_object *object = json_object_new_string_len(clean, (int)used);

	free(clean);
	return object;
}

struct json_object *json_text_or_null(const char *text)
{
	return text && *text ? json_text(text) : NULL;
}

struct json_object *json_time(int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];

	if (time_ns == 0)
		return NULL;
	time_format(time_ns, text);
	return json_object_new_string(text);
}

static struct json_object *json_id(const uint8_t id[16])
{
	static const uint8_t none[16];
	char text[37];

	if (memcmp(id, none, sizeof(none)) == 0)
		return NULL;
	inv_id_format(id, text);
	return json_object_new_string(text);
}

/* Where `nothing` says that there is no number: null. */
static struct json_object *json_number(int64_t number, int64_t nothing)
{
	return number == nothing ? NULL : json_object_new_int64(number);
}

static struct json_object *json_cause(int cause)
{
	return cause == INV_CAUSE_NONE ? NULL : json_object_new_string(inv_cause_name(cause));
}

static struct json_object *json_words(char **words)
{
	struct json_object *array = json_object_new_array();

	for (; words && *words; words++)
		json_object_array_add(array, json_text(*words));
	return array;
}

static struct json_object *json_progress(const struct inv_info *info)
{
	struct json_object *progress;
	char percent[32];

	if (info->progress_percent < 0)
		return NULL;
	progress = json_object_new_object();
	snprintf(percent, sizeof(percent), "%.6g", info->progress_percent);
	json_object_object_add(progress, "percent",
	                       json_object_new_double_s(info->progress_percent, percent));
	json_object_object_add(progress, "message", json_text_or_null(info->progress_text));
	return progress;
}

static struct json_object *json_actor(const struct inv_info *info)
{
	struct json_object *actor = json_object_new_object();

	json_object_object_add(actor, "uid", json_object_new_int64(info->cancel.uid));
	json_object_object_add(actor, "pid", json_number(info->cancel.pid, 0));
	json_object_object_add(actor, "command", json_text_or_null(info->cancel.command));
	return actor;
}

struct json_object *json_cancel(const struct inv_info *info)
{
	struct json_object *cancel;

	if (info->cancel.state == INV_CANCEL_NONE)
		return NULL;
	cancel = json_object_new_object();
	json_object_object_add(cancel, "state",
	                       json_object_new_string(inv_cancel_state_name(info->cancel.state)));
	json_object_object_add(cancel, "cause", json_cause(info->cancel.cause));
	json_object_object_add(cancel, "reason", json_text_or_null(info->cancel.reason));
	json_object_object_add(cancel, "actor", json_actor(info));
	json_object_object_add(cancel, "time", json_time(info->cancel.time_ns));
	return cancel;
}

/* Who it is, and since when. */
static void add_identity(struct json_object *object, const struct inv_info *info)
{
	json_object_object_add(object, "id", json_id(info->id));
	json_object_object_add(object, "action", json_text(info->name));
	json_object_object_add(object, "status",
	                       json_object_new_string(inv_status_name(info->status)));
	json_object_object_add(object, "timeRequested", json_time(info->requested_ns));
	json_object_object_add(object, "timeStarted", json_time(info->started_ns));
	json_object_object_add(object, "timeCompleted", json_time(info->completed_ns));
	json_object_object_add(object, "parent", json_id(info->parent));
}

static void add_process(struct json_object *object, const struct inv_info *info,
                        const struct details *details)
{
	json_object_object_add(object, "pid", json_number(info->pid, 0));
	json_object_object_add(object, "ownerPid", json_number(info->owner_pid, 0));
	json_object_object_add(object, "uid", json_object_new_int64(info->uid));
	json_object_object_add(object, "command", json_words(details->command));
	json_object_object_add(object, "cwd", json_text(details->cwd));
	json_object_object_add(object, "orphaned", json_object_new_boolean(info->orphaned));
}

static void add_state(struct json_object *object, const struct inv_info *info)
{
	json_object_object_add(object, "deadline", json_time(info->deadline_ns));
	json_object_object_add(object, "cancel", json_cancel(info));
	json_object_object_add(object, "cooperative", json_object_new_boolean(info->cooperative));
	json_object_object_add(object, "lastCheck", json_time(info->last_check_ns));
	json_object_object_add(object, "shielded", json_object_new_boolean(info->shielded));
	json_object_object_add(object, "paused", json_object_new_boolean(info->paused));
	json_object_object_add(object, "finishing", json_object_new_boolean(info->finishing));
	json_object_object_add(object, "progress", json_progress(info));
}

static void add_outcome(struct json_object *object, const struct inv_info *info)
{
	json_object_object_add(object, "exitStatus", json_number(info->exit_status, -1));
	json_object_object_add(object, "signal", json_number(info->term_signal, 0));
	json_object_object_add(object, "cause", json_cause(info->cause));
	json_object_object_add(object, "logLost", json_object_new_int64(info->log_lost));
}

struct json_object *json_invocation(const struct inv_info *info, const struct details *details)
{
	struct json_object *object = json_object_new_object();

	add_identity(object, info);
	add_process(object, info, details);
	add_state(object, info);
	add_outcome(object, info);
	return object;
}

void json_write(struct json_object *object, bool pretty)
{
	int style =
	        pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN;

	fputs(json_object_to_json_string_ext(object, style | JSON_C_TO_STRING_NOSLASHESCAPE),
	      stdout);
}

/*
 * What becomes of the requests: see story.h.
 *
 * A line is printed when its event is first seen, and no line says what a later one takes back: the
 * last check is told as it was before the request, and a stronger step only where the request has
 * had its time, or a signal was ignored. A nested run that comes back by the request counts as a
 * check of its parent, but the parent's script has not called invctl: it is told as what it is.
 */
#include "invctl/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "common/escape.h"
#include "invctl/next_step.h"
#include "invctl/stopped_supervisor.h"
#include "supervise/waiting.h"

#define AT_ONCE_NS (50 * NS_PER_MS)
/* In this time a cooperative action should have checked, and a signalled one ended. */
#define PATIENCE_NS (5 * NS_PER_SECOND)
/* The last check is kept in such ticks. Between a nested run's note at its parent and its end: */
#define TICK_NS (10 * NS_PER_MS)
#define NOTE_NS (100 * NS_PER_MS)

enum { NAMES_COMPARED = 1000 };

struct told {
	const struct target *target;
	struct inv_info before;
	char name[ESCAPED_BYTES(INV_NAME_BYTES)];
	bool shares_name; /* with another target, so that each line has the id */
	bool begun, delivered, nested, finishing, stepped, ended;
	int64_t requested_ns, delivered_ns; /* monotonic; when it was seen */
};

struct story {
	inv_table *table;
	unsigned flags;
	size_t count;
	struct told told[];
};

static const struct inv_request *pending_of(const struct inv_info *info)
{
	if (info->cancel.state == INV_CANCEL_REQUESTED)
		return &info->cancel;
	return info->later.state == INV_CANCEL_REQUESTED ? &info->later : NULL;
}

static void find_shared_names(struct story *story)
{
	for (size_t i = 0; i < story->count; i++) {
		story->told[i].shares_name = story->count > NAMES_COMPARED;
		for (size_t other = 0; other < story->count && !story->told[i].shares_name; other++)
			story->told[i].shares_name =
			        other != i &&
			        strcmp(story->told[i].name, story->told[other].name) == 0;
	}
}

struct story *story_begin(inv_table *table, const struct targets *targets, unsigned flags)
{
	struct story *story = calloc(1, sizeof(*story) + targets->count * sizeof(story->told[0]));

	if (!story)
		return NULL;
	story->table = table;
	story->flags = flags;
	for (size_t i = 0; i < targets->count; i++) {
		struct told *told = &story->told[story->count];

		if (targets->list[i].failure != 0)
			continue;
		told->target = &targets->list[i];
		inv_info_get(table, told->target->id, &told->before);
		escape_text(told->before.name, told->name, sizeof(told->name));
		story->count++;
	}
	find_shared_names(story);
	return story;
}

void story_free(struct story *story)
{
	free(story);
}

static void begin_line(const struct told *told, bool first)
{
	char id_text[INV_ID_TEXT_BYTES];

	inv_id_format(told->target->id, id_text);
	if (first || told->shares_name)
		printf("%s (%.8s): ", told->name, id_text);
	else
		printf("%s: ", told->name);
}

/* A run that is nested in this one, and has ended by its request. */
struct nested_run {
	const struct inv_info *parent;
	char name[ESCAPED_BYTES(INV_NAME_BYTES)];
};

static int find_nested(const struct inv_info *info, void *arg)
{
	struct nested_run *nested = arg;
	int64_t behind_ns = info->completed_ns - nested->parent->last_check_ns;

	if (info->kind != INV_KIND_RUN || info->completed_ns == 0 ||
	    info->status != INV_CANCELLED || info->cause != INV_CAUSE_PARENT ||
	    memcmp(info->parent, nested->parent->id, sizeof(info->parent)) != 0 ||
	    behind_ns < -NOTE_NS || behind_ns > NOTE_NS)
		return 0;
	escape_text(info->name, nested->name, sizeof(nested->name));
	return 1;
}

/* Whether the last check is the return of a nested run. */
static bool check_was_nested(inv_table *table, const struct inv_info *info,
                             struct nested_run *nested)
{
	nested->parent = info;
	return info->last_check_ns != 0 && inv_list(table, find_nested, nested) == 1;
}

static void tell_last_check(const struct story *story, struct told *told,
                            const struct inv_info *info)
{
	struct nested_run nested;
	char ago[DURATION_TEXT_BYTES];

	duration_format_words(clock_realtime_ns() - info->last_check_ns, ago);
	if (info->last_check_ns == 0)
		printf("; it has never checked");
	else if (pending_of(info) && check_was_nested(story->table, info, &nested))
		told->nested = printf("; its nested run %s came back %s ago", nested.name, ago) > 0;
	else
		printf("; last check %s ago", ago);
}

static void tell_next_step(const struct story *story, struct told *told,
                           const struct inv_info *info)
{
	char step[NEXT_STEP_BYTES];

	told->stepped = true;
	next_step(story->table, info, story->flags, step);
	printf("; %s\n", step);
}

/* An action of which all is known at once. */
static void tell_request(struct story *story, struct told *told, const struct inv_info *info)
{
	const struct inv_request *earlier = pending_of(&told->before);
	struct inv_info now = *info;
	char ago[DURATION_TEXT_BYTES];

	begin_line(told, true);
	told->requested_ns = clock_monotonic_ns();
	if (told->target->finishing) {
		printf("its command had ended, finishing\n");
		told->finishing = told->delivered = true;
		told->delivered_ns = told->requested_ns;
		return;
	}
	if (earlier) {
		duration_format_words(info->cancel.state == INV_CANCEL_REQUESTED
		                              ? info->cancel.age_ns
		                              : earlier->age_ns,
		                      ago);
		printf("already requested %s ago", ago);
	} else {
		printf("requested");
	}
	if (supervisor_is_stopped(info) && !(story->flags & INV_CANCEL_KILL)) {
		tell_next_step(story, told, info);
	} else if (info->shielded && pending_of(info)) {
		printf("; a shield holds it back\n");
	} else if (next_step_is_signal(story->table, story->flags, &now)) {
		duration_format_words(now.cancel.age_ns, ago);
		printf("; already signalled %s ago", ago);
		tell_next_step(story, told, &now);
	} else {
		tell_last_check(story, told, &told->before);
		putchar('\n');
	}
}

enum { AFTER_BYTES = DURATION_TEXT_BYTES + sizeof("after ") };

static void after_format(const struct told *told, char text[AFTER_BYTES])
{
	int64_t after_ns = clock_monotonic_ns() - told->requested_ns;
	char duration[DURATION_TEXT_BYTES];

	duration_format_words(after_ns, duration);
	if (after_ns < AT_ONCE_NS)
		snprintf(text, AFTER_BYTES, "at once");
	else
		snprintf(text, AFTER_BYTES, "after %s", duration);
}

/* Its request is delivered, or withdrawn. */
static void tell_delivery(struct told *told, const struct inv_info *info)
{
	bool was_delivered = told->before.cancel.state > INV_CANCEL_REQUESTED;
	bool same = info->cancel.state != INV_CANCEL_KILLED && was_delivered &&
	            info->cancel.time_ns == told->before.cancel.time_ns;
	char after[AFTER_BYTES];

	told->delivered = true;
	told->delivered_ns = clock_monotonic_ns();
	begin_line(told, false);
	after_format(told, after);
	if (info->cancel.state == INV_CANCEL_NONE || same)
		printf("withdrawn\n");
	else if (info->completed_ns != 0)
		printf("%s\n", inv_cancel_state_name(info->cancel.state));
	else if (info->cancel.state == INV_CANCEL_KILLED)
		printf("killed %s\n", after);
	else
		printf("%s %s, cleaning up\n", inv_cancel_state_name(info->cancel.state), after);
}

static void tell_finishing(struct told *told)
{
	char after[AFTER_BYTES];

	told->finishing = true;
	begin_line(told, false);
	after_format(told, after);
	printf("its command ended %s, finishing\n", after);
}

static void tell_nested(struct story *story, struct told *told, const struct inv_info *info)
{
	struct nested_run nested;

	if (info->last_check_ns <= told->before.last_check_ns + TICK_NS ||
	    !check_was_nested(story->table, info, &nested))
		return;
	told->nested = true;
	begin_line(told, false);
	printf("its nested run %s came back, so no signal follows\n", nested.name);
}

/* It has had its time. */
static void tell_patience(struct story *story, struct told *told, const struct inv_info *info,
                          int64_t waited_ns)
{
	char waited[DURATION_TEXT_BYTES], names[WAITING_TEXT_BYTES];
	struct process_list list = {0};

	begin_line(told, false);
	duration_format_words(waited_ns, waited);
	if (told->finishing) {
		waiting_for(story->table, info, &list);
		waiting_format(info, &list, names);
		printf("still finishing after %s: %s", waited, names);
		process_list_free(&list);
	} else if (told->delivered) {
		printf("still runs %s after it was %s", waited,
		       inv_cancel_state_name(info->cancel.state));
	} else if (info->shielded) {
		printf("held back by a shield for %s", waited);
	} else {
		printf("not delivered for %s", waited);
		tell_last_check(story, told, info);
	}
	tell_next_step(story, told, info);
}

static int64_t waited_ns(const struct told *told, const struct inv_info *info)
{
	const struct inv_request *pending = pending_of(info);

	if (told->delivered)
		return clock_monotonic_ns() - told->delivered_ns;
	return pending ? pending->age_ns : 0;
}

static void tell_end(struct told *told, const struct inv_info *info)
{
	char after[AFTER_BYTES];

	told->ended = true;
	begin_line(told, false);
	after_format(told, after);
	printf("ended %s: %s (%d)\n", after, inv_status_name(info->status), info->wait_status);
}

static void go_on(struct story *story, struct told *told)
{
	struct inv_info info;

	if (inv_info_get(story->table, told->target->id, &info) < 0) {
		told->ended = true;
		begin_line(told, !told->begun);
		printf("ended, and left no record\n");
		return;
	}
	if (told->before.completed_ns != 0) {
		told->ended = true;
		begin_line(told, true);
		printf("had already ended: %s (%d)\n", inv_status_name(info.status),
		       info.wait_status);
		return;
	}
	if (!told->begun)
		tell_request(story, told, &info);
	told->begun = true;
	if (!told->delivered && (!pending_of(&info) || info.cancel.state == INV_CANCEL_KILLED))
		tell_delivery(told, &info);
	if (info.completed_ns != 0) {
		tell_end(told, &info);
		return;
	}
	if (info.finishing && !told->finishing)
		tell_finishing(told);
	if (!told->delivered && !told->nested && !info.finishing)
		tell_nested(story, told, &info);
	if (!told->stepped && waited_ns(told, &info) >= PATIENCE_NS)
		tell_patience(story, told, &info, waited_ns(told, &info));
}

void story_go_on(struct story *story)
{
	for (size_t i = 0; i < story->count; i++)
		if (story->told[i].target->failure == 0 && !story->told[i].ended)
			go_on(story, &story->told[i]);
	fflush(stdout);
}

/*
 * What becomes of the requests: see story.h.
 *
 * A line is printed when its event is first seen, and no line says what a later one takes back: the
 * last check is as it was before the request, and a stronger step is named only where the request
 * has had its time, or a signal was ignored. A nested run that comes back by the request counts as
 * a check of its parent, but the parent's script has not called invctl: the line says what it is.
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

struct account {
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
	struct account accounts[];
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
		story->accounts[i].shares_name = story->count > NAMES_COMPARED;
		for (size_t other = 0; other < story->count && !story->accounts[i].shares_name;
		     other++)
			story->accounts[i].shares_name =
			        other != i &&
			        strcmp(story->accounts[i].name, story->accounts[other].name) == 0;
	}
}

struct story *story_begin(inv_table *table, const struct targets *targets, unsigned flags)
{
	struct story *story =
	        calloc(1, sizeof(*story) + targets->count * sizeof(story->accounts[0]));

	if (!story)
		return NULL;
	story->table = table;
	story->flags = flags;
	for (size_t i = 0; i < targets->count; i++) {
		struct account *account = &story->accounts[story->count];

		if (targets->list[i].failure != 0)
			continue;
		account->target = &targets->list[i];
		inv_info_get(table, account->target->id, &account->before);
		escape_text(account->before.name, account->name, sizeof(account->name));
		story->count++;
	}
	find_shared_names(story);
	return story;
}

void story_free(struct story *story)
{
	free(story);
}

static void begin_line(const struct account *account, bool first)
{
	char id_text[INV_ID_TEXT_BYTES];

	inv_id_format(account->target->id, id_text);
	if (first || account->shares_name)
		printf("%s (%.8s): ", account->name, id_text);
	else
		printf("%s: ", account->name);
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

static void print_last_check(const struct story *story, struct account *account,
                             const struct inv_info *info)
{
	struct nested_run nested;
	char ago[DURATION_TEXT_BYTES];

	duration_format_words(clock_realtime_ns() - info->last_check_ns, ago);
	if (info->last_check_ns == 0)
		printf("; it has never checked");
	else if (pending_of(info) && check_was_nested(story->table, info, &nested))
		account->nested =
		        printf("; its nested run %s came back %s ago", nested.name, ago) > 0;
	else
		printf("; last check %s ago", ago);
}

static void print_next_step(const struct story *story, struct account *account,
                            const struct inv_info *info)
{
	char step[NEXT_STEP_BYTES];

	account->stepped = true;
	next_step(story->table, info, story->flags, step);
	printf("; %s\n", step);
}

/* An action of which all is known at once. */
static void print_request(struct story *story, struct account *account, const struct inv_info *info)
{
	const struct inv_request *earlier = pending_of(&account->before);
	struct inv_info now = *info;
	char ago[DURATION_TEXT_BYTES];

	begin_line(account, true);
	account->requested_ns = clock_monotonic_ns();
	if (account->target->finishing) {
		printf("its command had ended, finishing\n");
		account->finishing = account->delivered = true;
		account->delivered_ns = account->requested_ns;
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
		print_next_step(story, account, info);
	} else if (info->shielded && pending_of(info)) {
		printf("; a shield holds it back\n");
	} else if (next_step_is_signal(story->table, story->flags, &now)) {
		duration_format_words(now.cancel.age_ns, ago);
		printf("; already signalled %s ago", ago);
		print_next_step(story, account, &now);
	} else {
		print_last_check(story, account, &account->before);
		putchar('\n');
	}
}

enum { AFTER_BYTES = DURATION_TEXT_BYTES + sizeof("after ") };

static void after_format(const struct account *account, char text[AFTER_BYTES])
{
	int64_t after_ns = clock_monotonic_ns() - account->requested_ns;
	char duration[DURATION_TEXT_BYTES];

	duration_format_words(after_ns, duration);
	if (after_ns < AT_ONCE_NS)
		snprintf(text, AFTER_BYTES, "at once");
	else
		snprintf(text, AFTER_BYTES, "after %s", duration);
}

/* Its request is delivered, or withdrawn. */
static void print_delivery(struct account *account, const struct inv_info *info)
{
	bool was_delivered = account->before.cancel.state > INV_CANCEL_REQUESTED;
	bool same = info->cancel.state != INV_CANCEL_KILLED && was_delivered &&
	            info->cancel.time_ns == account->before.cancel.time_ns;
	char after[AFTER_BYTES];

	account->delivered = true;
	account->delivered_ns = clock_monotonic_ns();
	begin_line(account, false);
	after_format(account, after);
	if (info->cancel.state == INV_CANCEL_NONE || same)
		printf("withdrawn\n");
	else if (info->completed_ns != 0)
		printf("%s\n", inv_cancel_state_name(info->cancel.state));
	else if (info->cancel.state == INV_CANCEL_KILLED)
		printf("killed %s\n", after);
	else
		printf("%s %s, cleaning up\n", inv_cancel_state_name(info->cancel.state), after);
}

static void print_finishing(struct account *account)
{
	char after[AFTER_BYTES];

	account->finishing = true;
	begin_line(account, false);
	after_format(account, after);
	printf("its command ended %s, finishing\n", after);
}

static void print_nested(struct story *story, struct account *account, const struct inv_info *info)
{
	struct nested_run nested;

	if (info->last_check_ns <= account->before.last_check_ns + TICK_NS ||
	    !check_was_nested(story->table, info, &nested))
		return;
	account->nested = true;
	begin_line(account, false);
	printf("its nested run %s came back, so no signal follows\n", nested.name);
}

/* It has had its time. */
static void print_patience(struct story *story, struct account *account,
                           const struct inv_info *info, int64_t waited_ns)
{
	char waited[DURATION_TEXT_BYTES], names[WAITING_TEXT_BYTES];
	struct process_list list = {0};

	begin_line(account, false);
	duration_format_words(waited_ns, waited);
	if (account->finishing) {
		waiting_for(story->table, info, &list);
		waiting_format(info, &list, names);
		printf("still finishing after %s: %s", waited, names);
		process_list_free(&list);
	} else if (account->delivered) {
		printf("still runs %s after it was %s", waited,
		       inv_cancel_state_name(info->cancel.state));
	} else if (info->shielded) {
		printf("held back by a shield for %s", waited);
	} else {
		printf("not delivered for %s", waited);
		print_last_check(story, account, info);
	}
	print_next_step(story, account, info);
}

static int64_t waited_ns(const struct account *account, const struct inv_info *info)
{
	const struct inv_request *pending = pending_of(info);

	if (account->delivered)
		return clock_monotonic_ns() - account->delivered_ns;
	return pending ? pending->age_ns : 0;
}

static void print_end(struct account *account, const struct inv_info *info)
{
	char after[AFTER_BYTES];

	account->ended = true;
	begin_line(account, false);
	after_format(account, after);
	printf("ended %s: %s (%d)\n", after, inv_status_name(info->status), info->wait_status);
}

static void go_on(struct story *story, struct account *account)
{
	struct inv_info info;

	if (inv_info_get(story->table, account->target->id, &info) < 0) {
		account->ended = true;
		begin_line(account, !account->begun);
		printf("ended, and left no record\n");
		return;
	}
	if (account->before.completed_ns != 0) {
		account->ended = true;
		begin_line(account, true);
		printf("had already ended: %s (%d)\n", inv_status_name(info.status),
		       info.wait_status);
		return;
	}
	if (!account->begun)
		print_request(story, account, &info);
	account->begun = true;
	if (!account->delivered && (!pending_of(&info) || info.cancel.state == INV_CANCEL_KILLED))
		print_delivery(account, &info);
	if (info.completed_ns != 0) {
		print_end(account, &info);
		return;
	}
	if (info.finishing && !account->finishing)
		print_finishing(account);
	if (!account->delivered && !account->nested && !info.finishing)
		print_nested(story, account, &info);
	if (!account->stepped && waited_ns(account, &info) >= PATIENCE_NS)
		print_patience(story, account, &info, waited_ns(account, &info));
}

void story_go_on(struct story *story)
{
	for (size_t i = 0; i < story->count; i++)
		if (story->accounts[i].target->failure == 0 && !story->accounts[i].ended)
			go_on(story, &story->accounts[i]);
	fflush(stdout);
}

/*
 * Operations on events and contexts, and what they must leave behind.
 *
 * The promises held to: any process may be killed at any instruction, and nobody hangs;
 * a set event stays set until it is delivered or cleared; one request is delivered at
 * most once; a shield ends with its process; of two registrations of an id one wins.
 */
#include "crash.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "api/event.h"
#include "invctl-supervisor.h"
#include "table/event_word.h"

static void harness_has_event(struct scene *scene)
{
	expect(scene, inv_event_create(scene->table, scene->ids[0], &scene->held) == 0,
	       "the harness can't register");
}

static void harness_has_set_event(struct scene *scene)
{
	harness_has_event(scene);
	inv_event_set(scene->held, "asked before");
}

static void victim_has_event(struct scene *scene)
{
	inv_event_create(scene->table, scene->ids[0], &scene->event);
}

static void victim_finds_event(struct scene *scene)
{
	inv_event_find(scene->table, scene->ids[0], &scene->event);
}

static void victim_enters(struct scene *scene)
{
	inv_context_enter(scene->table, scene->ids[0], &scene->context);
}

static int create(struct scene *scene)
{
	return inv_event_create(scene->table, scene->ids[0], &scene->event);
}

/* As if it were a create: whether it is the caller's own. */
static int own(const inv_event *event)
{
	return event->owned ? 0 : -EEXIST;
}

static int get(struct scene *scene)
{
	int error = inv_event_get(scene->table, scene->ids[0], &scene->event);

	return error ? error : own(scene->event);
}

static int enter(struct scene *scene)
{
	int error = inv_context_enter(scene->table, scene->ids[0], &scene->context);

	return error || inv_event_get(scene->table, NULL, &scene->event) != 0 ? error
	                                                                      : own(scene->event);
}

static int find(struct scene *scene)
{
	return inv_event_find(scene->table, scene->ids[0], &scene->event);
}

static int set(struct scene *scene)
{
	return inv_event_set(scene->event, "asked by the victim");
}

static int check(struct scene *scene)
{
	return inv_event_check(scene->event);
}

static int clear(struct scene *scene)
{
	return inv_event_clear(scene->event);
}

static int sleep_long(struct scene *scene)
{
	return inv_event_sleep(scene->event, INV_FOREVER);
}

static int wait_long(struct scene *scene)
{
	return inv_event_wait(scene->event, INV_FOREVER);
}

static int put(struct scene *scene)
{
	inv_event_put(scene->event);
	return 0;
}

static int leave(struct scene *scene)
{
	return inv_context_leave(scene->context);
}

static int shield_begin(struct scene *scene)
{
	(void)scene;
	return inv_shield_begin();
}

static int shield_end(struct scene *scene)
{
	(void)scene;
	return inv_shield_end();
}

static void victim_shields(struct scene *scene)
{
	victim_enters(scene);
	inv_shield_begin();
}

/* A process that lives on, for which the victim begins a shield, as `invctl shield --begin` does.
 */
enum { SHELL = 1 };
static const int64_t shield_limit_ns = INT64_C(300000000000);

static int shield_begin_for(struct scene *scene)
{
	return inv_shield_begin_for(scene->table, scene->ids[0], SHELL, shield_limit_ns);
}

static int shield_deepen_for(struct scene *scene)
{
	return inv_shield_begin_for(scene->table, scene->ids[0], SHELL, shield_limit_ns / 2);
}

static int shield_end_for(struct scene *scene)
{
	return inv_shield_end_for(scene->table, scene->ids[0], SHELL);
}

static void shell_shields(struct scene *scene)
{
	harness_has_event(scene);
	shield_begin_for(scene);
}

static int progress(struct scene *scene)
{
	(void)scene;
	return inv_progress(75, "told by the victim");
}

static int write_log(struct scene *scene)
{
	(void)scene;
	return inv_log_text(LOG_INFO, "written by the victim");
}

/* Once the victim sleeps on it. */
static void set_when_waited(struct scene *scene)
{
	inv_event *event;

	if (inv_event_find(scene->table, scene->ids[0], &event) != 0)
		return;
	while (!(event_word_load(scene->table, event->ref) & EVENT_WAITED))
		sched_yield();
	inv_event_set(event, "to wake it");
}

static bool has_event(struct scene *scene)
{
	expect(scene, scene->held != NULL, "the harness has lost its event");
	return scene->held != NULL;
}

/* Somebody who waits for the event returns once it is set, by whomever. */
static void judge_set(struct scene *scene)
{
	if (!has_event(scene))
		return;
	expect(scene, inv_event_set(scene->held, "asked again") == 0, "it can't be set any more");
	expect(scene, waiters_return(scene, WAITER_EVENT), "a waiter hangs on a set event");
	expect(scene,
	       !(scene->operation->waiters & WAITER_EVENT) || scene->waiters[0] == 0 ||
	               atomic_load(&scene->board->returned[0]) == 1,
	       "a waiter was not told that it was set");
	expect(scene, inv_event_check(scene->held) == -ECANCELED, "the request is lost");
}

static void judge_consumed(struct scene *scene)
{
	struct inv_info info;

	if (!has_event(scene))
		return;
	bool taken = atomic_load(&scene->board->acted) &&
	             atomic_load(&scene->board->result) == -ECANCELED;
	expect(scene,
	       inv_info_get(scene->table, scene->ids[0], &info) == 0 &&
	               (info.cancel.state == INV_CANCEL_REQUESTED ||
	                info.cancel.state == INV_CANCEL_DELIVERED),
	       "the record of the request is lost");
	bool pending = info.cancel.state == INV_CANCEL_REQUESTED;
	expect(scene, !taken || !pending, "it was delivered, and is pending");
	expect(scene, (inv_event_check(scene->held) == -ECANCELED) == pending,
	       "a pending request is not delivered, or a delivered one again");
	expect(scene, inv_event_check(scene->held) == 0, "it is delivered twice");
}

static void judge_cleared(struct scene *scene)
{
	struct inv_info info;

	if (!has_event(scene))
		return;
	expect(scene,
	       inv_info_get(scene->table, scene->ids[0], &info) == 0 &&
	               info.cancel.state <= INV_CANCEL_REQUESTED,
	       "a cleared event tells of a delivery");
	judge_set(scene);
}

static void judge_shield(struct scene *scene)
{
	if (!has_event(scene))
		return;
	inv_event_set(scene->held, "asked after the shield's end");
	expect(scene, inv_event_check(scene->held) == -ECANCELED, "a dead process's shield holds");
}

/* It holds with its limit, or not at all; its shell can begin another, and end them all. */
static void judge_shield_for(struct scene *scene)
{
	enum { ENDS_MAX = 4 };
	struct inv_info info = {0};
	int ends = 0;

	if (!has_event(scene))
		return;
	inv_info_get(scene->table, scene->ids[0], &info);
	expect(scene,
	       !info.shielded ||
	               (info.shield_pid == SHELL && info.shield_limit_ns >= shield_limit_ns &&
	                info.shield_limit_ns <= shield_limit_ns + 1000000000),
	       "it holds for %lld ns", (long long)info.shield_limit_ns);
	expect(scene, shield_begin_for(scene) == 0, "no shield can begin");
	inv_event_set(scene->held, "requested in the shield");
	expect(scene, inv_event_check(scene->held) == 0, "a shield does not hold");
	while (shield_end_for(scene) == 0 && ends < ENDS_MAX)
		ends++;
	expect(scene, ends >= 1 && ends <= 3, "%d ends", ends);
	expect(scene, inv_event_check(scene->held) == -ECANCELED, "it holds after its end");
}

static void judge_progress(struct scene *scene)
{
	inv_context *context;
	struct inv_info info = {0};

	if (!has_event(scene))
		return;
	inv_info_get(scene->table, scene->ids[0], &info);
	bool none = info.progress_percent < 0 && info.progress_text[0] == '\0';
	bool whole = info.progress_percent > 74.9 &&
	             strcmp(info.progress_text, "told by the victim") == 0;
	expect(scene, none || whole, "half a progress is shown: %f %s", info.progress_percent,
	       info.progress_text);
	expect(scene, inv_context_enter(scene->table, scene->ids[0], &context) == 0, "no context");
	inv_progress(50, "told after");
	inv_context_leave(context);
	inv_info_get(scene->table, scene->ids[0], &info);
	expect(scene, info.progress_percent > 49.9 && strcmp(info.progress_text, "told after") == 0,
	       "a later progress is not shown");
}

struct records {
	int victims, others, foreign;
};

static int count_record(int64_t time_ns, int level, const char *text, void *arg)
{
	struct records *records = arg;

	(void)time_ns;
	(void)level;
	if (strcmp(text, "written by the victim") == 0)
		records->victims++;
	else if (strcmp(text, "written after") == 0)
		records->others++;
	else
		records->foreign++;
	return 0;
}

static void judge_log(struct scene *scene)
{
	struct records records = {0};
	inv_context *context;

	if (!has_event(scene))
		return;
	expect(scene, inv_context_enter(scene->table, scene->ids[0], &context) == 0, "no context");
	expect(scene, inv_log_text(LOG_INFO, "written after") == 0,
	       "nothing can be logged any more");
	inv_context_leave(context);
	inv_log_read(scene->table, scene->ids[0], count_record, &records);
	expect(scene, records.foreign == 0 && records.victims <= 1 && records.others == 1,
	       "the log has %d, %d and %d records", records.victims, records.others,
	       records.foreign);
}

const struct operation operations_of_events[] = {
        {.name = "register", .rival = true, .act = create},
        {.name = "register-watched", .watched = true, .act = create},
        {.name = "register-elsewhere", .elsewhere = true, .rival = true, .act = create},
        {.name = "get", .rival = true, .act = get},
        {.name = "context-enter", .rival = true, .act = enter},
        {.name = "context-leave",
         .owner = OWNER_VICTIM,
         .waiters = WAITER_EVENT | WAITER_END,
         .prepare = victim_enters,
         .act = leave,
         .tells = WAITER_EVENT | WAITER_END},
        {.name = "find",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_EVENT,
         .arrange = harness_has_event,
         .act = find,
         .judge = judge_set},
        {.name = "set",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_EVENT,
         .arrange = harness_has_event,
         .prepare = victim_finds_event,
         .act = set,
         .judge = judge_set,
         .tells = WAITER_EVENT},
        {.name = "check",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = harness_has_set_event,
         .prepare = victim_finds_event,
         .act = check,
         .judge = judge_consumed},
        {.name = "clear",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = harness_has_set_event,
         .prepare = victim_finds_event,
         .act = clear,
         .judge = judge_cleared},
        /* Nobody else waits, so that the helper sees when the victim does. */
        {.name = "sleep",
         .owner = OWNER_VICTIM,
         .prepare = victim_has_event,
         .act = sleep_long,
         .helper = set_when_waited},
        {.name = "wait",
         .owner = OWNER_HARNESS,
         .arrange = harness_has_event,
         .prepare = victim_finds_event,
         .act = wait_long,
         .helper = set_when_waited,
         .judge = judge_set},
        {.name = "release",
         .owner = OWNER_VICTIM,
         .waiters = WAITER_EVENT | WAITER_END,
         .prepare = victim_has_event,
         .act = put,
         .tells = WAITER_EVENT | WAITER_END},
        {.name = "release-elsewhere",
         .owner = OWNER_VICTIM,
         .elsewhere = true,
         .waiters = WAITER_EVENT | WAITER_END,
         .prepare = victim_has_event,
         .act = put,
         .tells = WAITER_EVENT | WAITER_END},
        {.name = "shield-begin",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = harness_has_event,
         .prepare = victim_enters,
         .act = shield_begin,
         .judge = judge_shield},
        {.name = "shield-end",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = harness_has_event,
         .prepare = victim_shields,
         .act = shield_end,
         .judge = judge_shield},
        {.name = "shield-begin-for",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = harness_has_event,
         .act = shield_begin_for,
         .judge = judge_shield_for},
        {.name = "shield-deepen-for",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = shell_shields,
         .act = shield_deepen_for,
         .judge = judge_shield_for},
        {.name = "shield-end-for",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = shell_shields,
         .act = shield_end_for,
         .judge = judge_shield_for},
        {.name = "progress",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = harness_has_event,
         .prepare = victim_enters,
         .act = progress,
         .judge = judge_progress},
        {.name = "log",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_END,
         .arrange = harness_has_event,
         .prepare = victim_enters,
         .act = write_log,
         .judge = judge_log},
        {0},
};

/*
 * Operations on invocations: begin and end, the supervisor's calls, a cancel.
 *
 * The promises held to: exactly one outcome, whoever races; an owner that dies without
 * reporting leaves `lost`; a supervisor that dies leaves its action to the broker, and
 * no request is lost with it; a request reaches the live descendants.
 */
#include "crash.h"

#include <errno.h>
#include <string.h>

#include "api/event.h"
#include "table/event_word.h"

static inv_invocation *run_of(struct scene *scene, int id, const uint8_t *parent)
{
	struct inv_run_options options = {
	        .id = scene->ids[id],
	        .parent = parent,
	        .name = "an action",
	        .deadline_ns = INV_FOREVER,
	        .signal_after_ns = INV_FOREVER,
	        .kill_after_ns = INV_FOREVER,
	        .flags = INV_RUN_FINISH_COMMAND,
	};
	inv_invocation *run = NULL;

	inv_run_register(scene->table, &options, &run);
	return run;
}

static int run_register(struct scene *scene)
{
	scene->invocation = run_of(scene, 0, NULL);
	return scene->invocation ? 0 : -EEXIST;
}

static void victim_has_run(struct scene *scene)
{
	scene->invocation = run_of(scene, 0, NULL);
}

static int run_started(struct scene *scene)
{
	return inv_run_started(scene->invocation, scene->action);
}

static void victim_runs(struct scene *scene)
{
	victim_has_run(scene);
	run_started(scene);
}

static void victim_runs_child(struct scene *scene)
{
	victim_runs(scene);
	inv_invocation *child = run_of(scene, 1, scene->ids[0]);
	if (child)
		inv_run_started(child, scene->action);
}

static void victim_is_asked(struct scene *scene)
{
	victim_runs(scene);
	inv_run_request(scene->invocation, INV_CAUSE_REQUESTED, 0, "asked before");
}

static int run_request(struct scene *scene)
{
	return inv_run_request(scene->invocation, INV_CAUSE_DEADLINE, 0, "in time");
}

static int run_take(struct scene *scene)
{
	return inv_run_take(scene->invocation);
}

static int run_check(struct scene *scene)
{
	return inv_event_check(inv_invocation_event(scene->invocation));
}

static int run_decide(struct scene *scene)
{
	struct inv_run_result result = {.wait_known = 1};
	struct inv_run_outcome outcome;

	return inv_run_decide(scene->invocation, &result, &outcome);
}

static void victim_has_decided(struct scene *scene)
{
	victim_runs(scene);
	run_decide(scene);
}

static int run_finish_started(struct scene *scene)
{
	return inv_run_finish_started(scene->invocation, scene->action);
}

static void victim_finishes(struct scene *scene)
{
	victim_has_decided(scene);
	run_finish_started(scene);
}

static int run_finish_ended(struct scene *scene)
{
	return inv_run_finish_ended(scene->invocation, 0);
}

static int run_end(struct scene *scene)
{
	struct inv_run_result result = {.wait_known = 1};

	return inv_run_end(scene->invocation, &result);
}

static int begin_call(struct scene *scene)
{
	return inv_invocation_begin(scene->table, scene->ids[0], "a call", &scene->invocation);
}

static void victim_begins(struct scene *scene)
{
	begin_call(scene);
}

static void victim_begins_asked(struct scene *scene)
{
	begin_call(scene);
	inv_event_set(inv_invocation_event(scene->invocation), "asked before");
}

static int end_call(struct scene *scene)
{
	return inv_invocation_end(scene->invocation, INV_COMPLETED);
}

static int end_failed(struct scene *scene)
{
	return inv_invocation_end(scene->invocation, INV_ERROR);
}

static void victim_has_event(struct scene *scene)
{
	inv_event_create(scene->table, scene->ids[0], &scene->event);
}

static void harness_has_family(struct scene *scene)
{
	scene->runs[0] = run_of(scene, 0, NULL);
	scene->runs[1] = run_of(scene, 1, scene->ids[0]);
	scene->runs[2] = run_of(scene, 2, scene->ids[0]);
}

static int cancel(struct scene *scene)
{
	return inv_cancel(scene->table, scene->ids[0], 0, "asked by the victim");
}

static bool asked(struct scene *scene, int id)
{
	struct inv_info info;

	return inv_info_get(scene->table, scene->ids[id], &info) == 0 &&
	       info.cancel.state == INV_CANCEL_REQUESTED;
}

static void judge_cancel(struct scene *scene)
{
	bool before = asked(scene, 0);

	expect(scene, before || (!asked(scene, 1) && !asked(scene, 2)),
	       "a child was asked before its parent");
	expect(scene, inv_cancel(scene->table, scene->ids[0], 0, "asked again") == 0,
	       "it can't be cancelled any more");
	expect(scene, asked(scene, 0) && asked(scene, 1) && asked(scene, 2),
	       "a second cancel does not reach all");
	expect(scene, waiters_return(scene, WAITER_EVENT), "a waiter hangs on a set event");
}

/* Whatever was left live was handed over, once. */
static void judge_orphan(struct scene *scene)
{
	enum slot_state state = SLOT_FREE;
	struct inv_run_view view;
	int live = 0, held = 0;

	for (int i = 0; i < IDS; i++)
		live += scene_visible(scene, scene->ids[i], &state) && state == SLOT_LIVE;
	for (int i = 0; i < HELD_MAX; i++) {
		if (!scene->runs[i])
			continue;
		held++;
		expect(scene, inv_run_view(scene->runs[i], &view) == 0,
		       "an orphan that was handed over is stale");
	}
	expect(scene, live == held, "%d live, %d handed over", live, held);
}

static void judge_asked(struct scene *scene)
{
	struct inv_run_view view = {0};

	judge_orphan(scene);
	if (!scene->runs[0])
		return;
	inv_run_view(scene->runs[0], &view);
	expect(scene, view.requested && (view.pending || view.signalled),
	       "a request is lost with its supervisor");
}

static void judge_checked(struct scene *scene)
{
	struct inv_run_view view = {0};

	judge_orphan(scene);
	if (!scene->runs[0])
		return;
	inv_run_view(scene->runs[0], &view);
	expect(scene, view.requested && (view.pending || view.delivered), "a request is lost");
}

/* Decided or not: as the command ended, or open to requests still. */
static void judge_decided(struct scene *scene)
{
	struct inv_run_view view = {0};
	int result = inv_cancel(scene->table, scene->ids[0], 0, "after the end");

	judge_orphan(scene);
	if (!scene->runs[0])
		return;
	inv_run_view(scene->runs[0], &view);
	expect(scene, view.decided || !atomic_load(&scene->board->acted),
	       "a decided outcome is lost");
	expect(scene, !view.decided || view.outcome.status == INV_COMPLETED,
	       "the outcome has changed to %s", inv_status_name(view.outcome.status));
	expect(scene, result == (view.decided ? -EALREADY : 0), "a request is answered by %d",
	       result);
}

/* The broker knows how far it had come. */
static void judge_finish(struct scene *scene)
{
	struct inv_run_view view = {0};

	judge_decided(scene);
	if (!scene->runs[0])
		return;
	inv_run_view(scene->runs[0], &view);
	expect(scene, view.decided, "a decided outcome is lost");
	expect(scene, view.finish != INV_FINISH_RUNNING || view.pid == scene->action,
	       "the finish command's process is not known");
}

static void judge_request(struct scene *scene)
{
	judge_orphan(scene);
	expect(scene, inv_cancel(scene->table, scene->ids[0], 0, "asked again") == 0,
	       "it can't be cancelled any more");
	expect(scene, asked(scene, 0) && asked(scene, 1), "a second cancel does not reach all");
}

/* What must stand in the record of a call that said `completed` or `error`. */
static void judge_ended(struct scene *scene)
{
	struct inv_info info;

	expect(scene, inv_info_get(scene->table, scene->ids[0], &info) == 0,
	       "it left without a record");
	bool lost = info.status == INV_ERROR && info.cause == INV_CAUSE_LOST;
	expect(scene, lost || (info.status == INV_COMPLETED && info.cause == INV_CAUSE_EXIT),
	       "it ended as %s, %s", inv_status_name(info.status), inv_cause_name(info.cause));
	expect(scene, !lost || !atomic_load(&scene->board->acted), "its outcome is lost");
}

static void judge_cancelled(struct scene *scene)
{
	struct inv_info info;

	expect(scene, inv_info_get(scene->table, scene->ids[0], &info) == 0,
	       "it left without a record");
	expect(scene, info.status == INV_CANCELLED && info.cause == INV_CAUSE_REQUESTED,
	       "it ended as %s, %s", inv_status_name(info.status), inv_cause_name(info.cause));
}

#define VICTIMS_RUN .owner = OWNER_VICTIM, .orphan = true, .waiters = WAITER_EVENT | WAITER_END

const struct operation operations_of_runs[] = {
        {.name = "run-register", .orphan = true, .rival = true, .act = run_register},
        {.name = "run-started",
         VICTIMS_RUN,
         .prepare = victim_has_run,
         .act = run_started,
         .judge = judge_orphan},
        {.name = "run-request",
         VICTIMS_RUN,
         .prepare = victim_runs_child,
         .act = run_request,
         .judge = judge_request,
         .tells = WAITER_EVENT},
        {.name = "run-take",
         VICTIMS_RUN,
         .prepare = victim_is_asked,
         .act = run_take,
         .judge = judge_asked},
        {.name = "run-check",
         VICTIMS_RUN,
         .prepare = victim_is_asked,
         .act = run_check,
         .judge = judge_checked},
        {.name = "run-decide",
         VICTIMS_RUN,
         .prepare = victim_runs,
         .act = run_decide,
         .judge = judge_decided},
        {.name = "run-finish-started",
         VICTIMS_RUN,
         .prepare = victim_has_decided,
         .act = run_finish_started,
         .judge = judge_finish},
        {.name = "run-finish-ended",
         VICTIMS_RUN,
         .prepare = victim_finishes,
         .act = run_finish_ended,
         .judge = judge_finish},
        {.name = "run-end",
         VICTIMS_RUN,
         .prepare = victim_runs,
         .act = run_end,
         .judge = judge_orphan,
         .tells = WAITER_EVENT | WAITER_END},
        {.name = "begin", .rival = true, .act = begin_call},
        {.name = "begin-of-event",
         .owner = OWNER_VICTIM,
         .waiters = WAITER_EVENT | WAITER_END,
         .prepare = victim_has_event,
         .act = begin_call},
        {.name = "end",
         .owner = OWNER_VICTIM,
         .waiters = WAITER_EVENT | WAITER_END,
         .prepare = victim_begins,
         .act = end_call,
         .judge = judge_ended,
         .tells = WAITER_EVENT | WAITER_END},
        {.name = "end-asked",
         .owner = OWNER_VICTIM,
         .waiters = WAITER_BRIEF,
         .prepare = victim_begins_asked,
         .act = end_failed,
         .judge = judge_cancelled},
        {.name = "cancel",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_EVENT,
         .arrange = harness_has_family,
         .act = cancel,
         .judge = judge_cancel,
         .tells = WAITER_EVENT},
        {0},
};

/*
 * Invocations of `run` whose supervisor is dead and whose action lives: see takeover.h.
 *
 * They have the same escalation as under `run`. The broker is not the command's parent:
 * a pidfd shows it the command's end, and its exit status is never known. A finish command that
 * the dead supervisor had started is watched in the same way, and then run again: it may have been
 * killed too. One that the broker starts is its child. Where no
 * descriptor is left for a pidfd, it checks every CHECK_NS. A process that makes a request
 * may be killed before it notifies the broker, so each is checked once a slice, as in `run`.
 */
#include "invbroker/takeover.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/duration.h"
#include "invbroker/loop.h"
#include "invbroker/orphan.h"
#include "invbroker/report.h"
#include "supervise/deliver.h"
#include "supervise/escalation.h"
#include "supervise/processes.h"

#define CHECK_NS (50 * NS_PER_MS)
#define SLICE_NS (NS_PER_SECOND / 2)

enum { STEPS_AT_ONCE = 16 };

struct adopted {
	struct loop_source source; /* first: a source is its adopted; fd -1: not watched */
	inv_invocation *invocation;
	struct orphan orphan;
	struct delivery delivery;
	bool watching; /* for the end of the process that was there when it was taken over */
	bool ended;
	int64_t due_ns;
	struct adopted *next;
};

static inv_table *table;
static bool shared;
static struct adopted *first;
static bool notified;

void takeover_open(inv_table *broker_table, bool shared_with_others)
{
	table = broker_table;
	shared = shared_with_others;
}

void takeover_notified(void)
{
	notified = true;
}

static void stop_watching(struct adopted *adopted)
{
	if (adopted->source.fd < 0)
		return;
	loop_remove(&adopted->source);
	close(adopted->source.fd);
	adopted->source.fd = -1;
}

/* The process that was there when it was taken over: the command, or its finish command. */
static void process_ended(struct adopted *adopted)
{
	const struct inv_run_result unknown = {0};

	stop_watching(adopted);
	if (!adopted->delivery.command_ended)
		delivery_command_ended(&adopted->delivery, &unknown);
	else if (adopted->delivery.finish == INV_FINISH_RUNNING)
		adopted->delivery.finish = INV_FINISH_PENDING;
	adopted->watching = false;
	adopted->due_ns = 0;
}

static void watched_ended(struct loop_source *source)
{
	process_ended((struct adopted *)source);
}

static void start_watching(struct adopted *adopted)
{
	adopted->watching = true;
	adopted->source = (struct loop_source){.fd = process_open(&adopted->orphan.command),
	                                       .ready = watched_ended};
	if (adopted->source.fd == -ESRCH)
		process_ended(adopted);
	if (adopted->source.fd < 0 || loop_add(&adopted->source) == 0)
		return;
	close(adopted->source.fd);
	adopted->source.fd = -1;
}

/* As far as it had come. */
static void resume_ending(struct adopted *adopted, const struct inv_run_view *view)
{
	struct delivery *delivery = &adopted->delivery;

	delivery->finish_command = adopted->orphan.run.finish_command;
	delivery->finish_timeout_ns = adopted->orphan.run.finish_timeout_ns;
	delivery->run_path = adopted->orphan.run_path;
	delivery->finish = adopted->orphan.finish_lost ? INV_FINISH_NONE : view->finish;
	if (view->finish == INV_FINISH_RUNNING)
		delivery->finish_started_ns = clock_monotonic_ns();
	if (!view->decided)
		return;
	delivery->outcome = view->outcome;
	delivery->command_ended = true;
	delivery->command_ended_ns = clock_monotonic_ns();
}

static void report_lost_stop_command(const struct adopted *adopted, const struct inv_run_view *view)
{
	const char *label = adopted->orphan.label;

	if (view->signal != 0)
		report("the stop command of invocation %s can't be read in the state directory, so "
		       "signal %d is sent instead",
		       label, view->signal);
	else
		report("the stop command of invocation %s can't be read in the state directory, "
		       "and it has --signal=none: a request waits for its check",
		       label);
}

void takeover_adopt(inv_invocation *invocation, void *arg)
{
	struct adopted *adopted = calloc(1, sizeof(*adopted));
	struct inv_run_view view;

	(void)arg;
	if (!adopted || inv_run_view(invocation, &view) != 0) {
		struct inv_run_result unknown = {0};
		free(adopted);
		inv_run_end(invocation, &unknown);
		return;
	}
	adopted->invocation = invocation;
	orphan_open(table, shared, invocation, &view, &adopted->orphan);
	adopted->delivery = (struct delivery){.invocation = invocation,
	                                      .label = adopted->orphan.label,
	                                      .scope = adopted->orphan.scope,
	                                      .stop_command = adopted->orphan.run.stop_command,
	                                      .cwd = adopted->orphan.run.cwd,
	                                      .environment = adopted->orphan.environment,
	                                      .output = adopted->orphan.output_fd};
	escalation_begin(&adopted->delivery.escalation, &view);
	resume_ending(adopted, &view);
	start_watching(adopted);
	adopted->next = first;
	first = adopted;
	if (adopted->watching)
		report("invocation %s has lost its supervisor; its action (pid %d) goes on, and is "
		       "%s",
		       adopted->orphan.label, (int)view.pid,
		       adopted->orphan.foreign
		               ? "watched, but never signalled: nothing shows that it is "
		                 "this user's, so it may be another user's"
		               : "supervised");
	else
		report("invocation %s has lost its supervisor, and its action has ended",
		       adopted->orphan.label);
	if (adopted->orphan.finish_lost)
		report("the finish command of invocation %s can't be read in the state directory "
		       "as "
		       "this user's, so it is not run",
		       adopted->orphan.label);
	if (adopted->orphan.stop_command_lost && !adopted->orphan.foreign)
		report_lost_stop_command(adopted, &view);
}

static void end(struct adopted *adopted)
{
	struct inv_run_result unknown = {0};

	stop_watching(adopted);
	int status = inv_run_end(adopted->invocation, &unknown);
	orphan_forget_other_run_file(&adopted->orphan);
	adopted->ended = true;
	report("invocation %s, which had lost its supervisor, has ended (%d)",
	       adopted->orphan.label, status);
}

static void report_step(const struct adopted *adopted, const struct escalation_decision *decision)
{
	const char *label = adopted->orphan.label;

	if (decision->step == STEP_REQUEST_DEADLINE)
		report("invocation %s has reached its deadline, which is a request", label);
	else if (decision->step == STEP_KILL)
		report("invocation %s: SIGKILL is sent to its processes", label);
	else if (decision->step == STEP_FINISH)
		report("invocation %s: its finish command is run", label);
	else if (decision->step == STEP_TAKE)
		report("invocation %s: its request is delivered by the signal before", label);
	else if (decision->step != STEP_DELIVER && decision->step != STEP_SIGNAL)
		return;
	else if (decision->signal != 0)
		report("invocation %s: signal %d is sent to its processes", label,
		       decision->signal);
	else
		report("invocation %s: its stop command is run", label);
}

/* A request to another user's action waits for a check of that action. If it were taken here,
 * the record would say that it was delivered. */
static void restrain(struct inv_run_view *view)
{
	view->signal = 0;
	view->force_signal = 0;
	view->stop = 0;
	view->flags = INV_RUN_NO_KILL;
}

/* Decide, and carry out one step. false: there is nothing more to do now. */
static bool step(struct adopted *adopted, int64_t now_ns)
{
	struct escalation_facts facts;
	struct inv_run_view view;

	if (inv_run_view(adopted->invocation, &view) != 0) {
		end(adopted);
		return false;
	}
	if (adopted->orphan.stop_command_lost)
		view.flags &= ~(unsigned)INV_RUN_STOP_COMMAND;
	if (adopted->orphan.foreign)
		restrain(&view);
	delivery_pause(&adopted->delivery, &view);
	delivery_gather(&adopted->delivery, &view, now_ns, &facts);
	struct escalation_decision decision =
	        escalation_decide(&adopted->delivery.escalation, &view, &facts);
	adopted->delivery.escalation = decision.next;
	if (decision.step == STEP_END) {
		end(adopted);
		return false;
	}
	adopted->due_ns = decision.until_ns;
	if (decision.step == STEP_WAIT)
		return false;
	report_step(adopted, &decision);
	delivery_step(&adopted->delivery, &view, &decision, now_ns);
	return true;
}

static void supervise(struct adopted *adopted, int64_t now_ns)
{
	bool watched = adopted->source.fd >= 0 || !adopted->watching;

	if (!watched && process_life(&adopted->orphan.command) == PROCESS_DEAD)
		process_ended(adopted);
	for (int steps = 0; step(adopted, now_ns); steps++) {
		if (steps < STEPS_AT_ONCE)
			continue;
		adopted->due_ns = now_ns;
		break;
	}
	if (adopted->ended)
		return;
	int64_t slice_ns = loop_earlier(kept_output_step(&adopted->orphan.output, now_ns),
	                                now_ns + (watched ? SLICE_NS : CHECK_NS));
	adopted->due_ns = loop_earlier(adopted->due_ns, slice_ns);
}

/* Unlink and free those that have ended. */
static void remove_ended(void)
{
	struct adopted **link = &first;

	while (*link) {
		struct adopted *adopted = *link;
		if (!adopted->ended) {
			link = &adopted->next;
			continue;
		}
		*link = adopted->next;
		delivery_free(&adopted->delivery);
		orphan_close(&adopted->orphan);
		free(adopted);
	}
}

void takeover_reaped(pid_t pid, int wait_status)
{
	for (struct adopted *adopted = first; adopted; adopted = adopted->next)
		if (adopted->delivery.finish_pid == pid) {
			delivery_reaped(&adopted->delivery, pid, wait_status);
			adopted->due_ns = 0;
		}
}

int64_t takeover_step(int64_t now_ns)
{
	int64_t due_ns = INV_FOREVER;
	bool all = notified;

	notified = false;
	for (struct adopted *adopted = first; adopted; adopted = adopted->next)
		if (all || (adopted->due_ns != INV_FOREVER && now_ns >= adopted->due_ns))
			supervise(adopted, now_ns);
	remove_ended();
	for (struct adopted *adopted = first; adopted; adopted = adopted->next)
		due_ns = loop_earlier(due_ns, adopted->due_ns);
	return due_ns;
}

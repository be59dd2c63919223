/*
 * What follows a command: see ending.h.
 *
 * The steps and what a SIGKILL between them leaves stand in protocol/finish.c; when each is due, in
 * escalation.c.
 */
#include "supervise/ending.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/message.h"
#include "common/runfile.h"
#include "invctl-exit-status.h"
#include "os/clock.h"

static void result_format(const struct inv_run_result *result, char text[END_TEXT_BYTES])
{
	bool signalled = result->wait_known && WIFSIGNALED(result->wait_status);

	end_format(result->wait_known && !signalled ? WEXITSTATUS(result->wait_status) : -1,
	           signalled ? WTERMSIG(result->wait_status) : 0, text);
}

/* The signal for what is left; 0: none, or it had one. */
static int leftover_signal(const struct delivery *delivery, const struct inv_run_view *view)
{
	if (delivery->stop_command)
		return SIGTERM;
	if (view->signal == 0 || (view->signalled && !(view->flags & INV_RUN_SIGNAL_COMMAND)))
		return 0;
	return view->request_signal != 0 ? view->request_signal : view->signal;
}

/* A request that was not delivered counts from when it was made. */
static struct delivery_moment moment_of(const struct delivery *delivery,
                                        const struct inv_run_view *view, int64_t now_ns)
{
	const uint64_t ns_per_tick = 10 * (uint64_t)NS_PER_MS;
	struct delivery_moment moment = delivery->moment;

	if (view->pending && moment.from == 0)
		moment.from = moment.to = process_ticks_now() -
		                          (uint64_t)(now_ns - view->requested_at_ns) / ns_per_tick;
	return moment;
}

/* What was there at the delivery, and is still there, was forgotten. */
static void signal_leftovers(struct delivery *delivery, const struct inv_run_view *view,
                             int64_t now_ns)
{
	int signum = leftover_signal(delivery, view);
	struct delivery_moment moment = moment_of(delivery, view, now_ns);
	char names[LEFTOVERS_TEXT_BYTES], end[END_TEXT_BYTES];

	if (delivery_find(delivery, PROCESSES_OWN, &delivery->found) != 0 ||
	    delivery->found.count == 0)
		return;
	leftovers_format(&delivery->found, names);
	result_format(&delivery->result, end);
	message("the command of '%s' %s; waiting for %s", delivery->label, end, names);
	for (size_t i = 0; signum != 0 && i < delivery->found.count; i++)
		if (leftovers_existed(&moment, &delivery->found.items[i]))
			delivery_signal_one(delivery, &delivery->found.items[i], signum);
}

/* Without a request leftovers go on, and are no part of it. */
static void drop_leftovers(struct delivery *delivery)
{
	if (delivery->scope.foreign) {
		processes_note_foreign(delivery->scope.foreign);
		return;
	}
	if (processes_find(&delivery->scope, PROCESSES_OWN, &delivery->dropped) == 0)
		delivery->scope.foreign = &delivery->dropped;
}

static void name_unfinished(struct delivery *delivery)
{
	char names[LEFTOVERS_TEXT_BYTES];

	if (delivery_find(delivery, PROCESSES_EVERYTHING, &delivery->found) != 0 ||
	    delivery->found.count == 0)
		return;
	leftovers_format(&delivery->found, names);
	message("the finish command of '%s' starts while %s still run%s", delivery->label, names,
	        delivery->found.count == 1 ? "s" : "");
}

static void finish_ended(struct delivery *delivery, int wait_status)
{
	struct inv_run_result result = {.wait_known = 1, .wait_status = wait_status};
	char end[END_TEXT_BYTES];

	delivery->finish = INV_FINISH_ENDED;
	delivery->finish_pid = 0;
	delivery->scope.command = 0;
	inv_run_finish_ended(delivery->invocation, wait_status);
	if (delivery->run_path)
		runfile_seal(delivery->run_path);
	result_format(&result, end);
	if (wait_status != 0)
		message("the finish command of '%s' %s", delivery->label, end);
}

/* It is tried again, as long as it might have run. */
static void not_made(struct delivery *delivery, int error, int64_t now_ns)
{
	if (delivery->finish_started_ns == 0) {
		delivery->finish_started_ns = now_ns;
		message("no process can be made for the finish command of '%s': %s; it is tried "
		        "again",
		        delivery->label, inv_strerror(error));
	} else if (now_ns - delivery->finish_started_ns > delivery->finish_timeout_ns) {
		message("the finish command of '%s' was not run; run it by hand: %s",
		        delivery->label, delivery->finish_command);
		finish_ended(delivery, W_EXITCODE(EXIT_NOT_EXECUTABLE, 0));
	}
}

/* Its process is in the table before it executes anything. */
static void finish(struct delivery *delivery, const struct inv_run_view *view, int64_t now_ns)
{
	struct inv_info info = {0};
	char exit_text[12];
	int go;

	if (!delivery->alone)
		inv_info_get(delivery->scope.table, delivery->scope.id, &info);
	snprintf(exit_text, sizeof(exit_text), "%d", delivery->outcome.exit_status);

	const char *const settings[][2] = {
	        {"INVCTL_STATUS", inv_status_name(delivery->outcome.status)},
	        {"INVCTL_CAUSE", inv_cause_name(delivery->outcome.cause)},
	        {"INVCTL_REASON", info.cancel.reason},
	        {"INVCTL_EXIT", exit_text},
	        {NULL, NULL},
	};
	struct shell_command command =
	        delivery_shell_command(delivery, "finish command", delivery->finish_command);

	command.settings = settings;
	name_unfinished(delivery);
	if (!view->requested)
		drop_leftovers(delivery);
	pid_t pid = shell_command_prepare(&command, &go);
	if (pid < 0) {
		not_made(delivery, pid, now_ns);
		return;
	}
	inv_run_finish_started(delivery->invocation, pid);
	shell_command_go(go);
	delivery->finish = INV_FINISH_RUNNING;
	delivery->finish_pid = pid;
	delivery->finish_started_ns = now_ns;
	delivery->kill_began_ns = 0;
	delivery->scope.command = pid;
	delivery->scope.command_start = process_start(pid);
}

void delivery_reaped(struct delivery *delivery, pid_t pid, int wait_status)
{
	if (delivery->finish == INV_FINISH_RUNNING && pid == delivery->finish_pid)
		finish_ended(delivery, wait_status);
}

void delivery_command_ended(struct delivery *delivery, const struct inv_run_result *result)
{
	delivery->command_ended = true;
	delivery->command_ended_ns = clock_monotonic_ns();
	delivery->result = *result;
	/* Its pid may be another process's from now on. */
	delivery->scope.command = 0;
	/* It was never started. */
	if (result->exec_errno != 0)
		delivery->finish = INV_FINISH_NONE;
}

void ending_step(struct delivery *delivery, const struct inv_run_view *view,
                 enum escalation_step step, int64_t now_ns)
{
	if (step == STEP_DECIDE) {
		inv_run_decide(delivery->invocation, &delivery->result, &delivery->outcome);
	} else if (step == STEP_LEFTOVERS) {
		signal_leftovers(delivery, view, now_ns);
	} else if (step == STEP_FINISH) {
		finish(delivery, view, now_ns);
	} else {
		message("the finish command of '%s' has had its time (--finish-timeout), and gets "
		        "SIGTERM",
		        delivery->label);
		delivery_signal_all(delivery, SIGTERM);
	}
}

/*
 * Carries out what the escalation decides: see deliver.h.
 *
 * A process may fork after it was listed and before it is signalled. While nothing catches
 * the signal, a process that is found new was forked before it, so the list is read and
 * signalled again. As soon as something catches it, a new process may be clean-up, which
 * is left alone.
 */
#include "supervise/deliver.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/message.h"
#include "supervise/ending.h"

/* How long nested supervisors have to carry out a kill themselves. */
#define NESTED_KILL_NS INT64_C(3000000000)

enum {
	ROUNDS_MAX = 4, /* against processes that go on forking */
	NESTED_MAX = 256,
};

/* Parents first: a shell whose child is signalled first would start the next one. */
static int by_age(const void *a, const void *b)
{
	const struct process *one = a, *other = b;

	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	return one->pid < other->pid ? -1 : one->pid > other->pid;
}

int delivery_find(struct delivery *delivery, enum process_reach reach, struct process_list *found)
{
	int error = processes_find(&delivery->scope, reach, found);

	if (!error && found->count > 1)
		qsort(found->items, found->count, sizeof(*found->items), by_age);
	return error;
}

/* A stopped process handles a signal when it continues. */
static bool continues_stopped(int signum)
{
	return signum != SIGKILL && signum != SIGCONT && signum != SIGSTOP && signum != SIGTSTP &&
	       signum != SIGTTIN && signum != SIGTTOU;
}

void delivery_signal_one(struct delivery *delivery, const struct process *process, int signum)
{
	int error = process_signal(process, signum);

	if (error == 0 && process->state == 'T' && continues_stopped(signum))
		process_signal(process, SIGCONT);
	if (error != -EPERM || delivery->denied_reported)
		return;
	delivery->denied_reported = true;
	message("process %d (%s) belongs to another user, and goes on; root can end it",
	        (int)process->pid, process->name);
}

/* A `run` that has not registered yet, or a command that takes a request or a pause itself. */
static bool is_invctl(const struct process *process)
{
	return strcmp(process->name, "invctl") == 0;
}

/* A process of the list has a handler for the signal, and may start clean-up. A `run` has handlers
 * too, but no clean-up. */
static bool is_caught(const struct process_list *list, int signum)
{
	struct process_status status;

	for (size_t i = 0; i < list->count; i++)
		if (!is_invctl(&list->items[i]) &&
		    process_read_status(list->items[i].pid, &status) == 0 &&
		    (status.caught >> (signum - 1) & 1) != 0)
			return true;
	return false;
}

static bool contains(const struct process_list *list, const struct process *process)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].pid == process->pid && list->items[i].start == process->start)
			return true;
	return false;
}

/* Signal those that were not there before. Returns how many they are. A `run` that is stopped could
 * register and be left so, as it is nested then. */
static size_t signal_new(struct delivery *delivery, const struct process_list *found,
                         const struct process_list *before, int signum)
{
	size_t count = 0;

	for (size_t i = 0; i < found->count; i++) {
		if (contains(before, &found->items[i]) ||
		    (signum == SIGSTOP && is_invctl(&found->items[i])))
			continue;
		delivery_signal_one(delivery, &found->items[i], signum);
		count++;
	}
	return count;
}

struct nested {
	pid_t supervisors[NESTED_MAX];
	size_t count;
};

static void read_nested(struct delivery *delivery, struct nested *nested)
{
	nested->count = 0;
	if (!delivery->alone)
		nested->count =
		        inv_run_nested_pids(delivery->invocation, nested->supervisors, NESTED_MAX);
	if (nested->count > NESTED_MAX)
		nested->count = NESTED_MAX;
}

static bool is_supervisor(const struct nested *nested, pid_t pid)
{
	for (size_t i = 0; i < nested->count; i++)
		if (nested->supervisors[i] == pid)
			return true;
	return false;
}

/* A nested `run` that was forked before the signal, and registered after the request was
 * taken, has got neither. Request it: its start would have been refused before. */
static void request_new_nested(struct delivery *delivery, const struct nested *before)
{
	struct process_list *found = &delivery->found;
	struct nested now;

	read_nested(delivery, &now);
	if (now.count == 0 || before->count == NESTED_MAX ||
	    delivery_find(delivery, PROCESSES_EVERYTHING, found) != 0)
		return;
	for (size_t i = 0; i < found->count; i++)
		if (is_supervisor(&now, found->items[i].pid) &&
		    !is_supervisor(before, found->items[i].pid))
			delivery_signal_one(delivery, &found->items[i], SIGTERM);
}

/* It is known to its supervisor as a child that is not reaped yet, else by its start time. */
static void signal_command(const struct process_scope *scope, int signum)
{
	struct process command = {.pid = scope->command, .start = scope->command_start};

	if (scope->command > 0 && scope->supervisor == getpid())
		kill(scope->command, signum);
	else if (scope->command > 0 && command.start != 0)
		process_signal(&command, signum);
}

/* Where the processes can't be listed, the command is known all the same. */
static void signal_command_alone(struct delivery *delivery, int error, int signum)
{
	if (!delivery->unlisted_reported)
		message("the processes of this invocation can't be listed (%s), so its command "
		        "alone is signalled",
		        error == -EXDEV ? "/proc is another PID namespace's" : strerror(-error));
	delivery->unlisted_reported = true;
	signal_command(&delivery->scope, signum);
}

/* Every process of the invocation at this moment. true: something catches the signal. */
static bool signal_own(struct delivery *delivery, int signum)
{
	struct process_list signalled = {0}, *found = &delivery->found;
	bool caught = false;

	for (int round = 0; round < ROUNDS_MAX && !caught; round++) {
		int error = delivery_find(delivery, PROCESSES_OWN, found);

		if (error && round == 0)
			signal_command_alone(delivery, error, signum);
		if (error)
			break;
		caught = is_caught(found, signum);
		if (signal_new(delivery, found, &signalled, signum) == 0)
			break;

		struct process_list swapped = *found;
		*found = signalled;
		signalled = swapped;
	}
	process_list_free(&signalled);
	return caught;
}

void delivery_signal_all(struct delivery *delivery, int signum)
{
	struct nested nested;

	read_nested(delivery, &nested);
	if (!signal_own(delivery, signum))
		request_new_nested(delivery, &nested);
}

struct shell_command delivery_shell_command(const struct delivery *delivery, const char *what,
                                            const char *text)
{
	return (struct shell_command){.what = what,
	                              .text = text,
	                              .cwd = delivery->cwd,
	                              .environment = delivery->environment,
	                              .output = delivery->output,
	                              .id = delivery->scope.id,
	                              .table_name = inv_table_name(delivery->scope.table)};
}

static void stop(struct delivery *delivery)
{
	struct shell_command command =
	        delivery_shell_command(delivery, "stop command", delivery->stop_command);
	int error = shell_command_start(&command);

	if (error)
		message("no process can be made for the stop command: %s", inv_strerror(error));
}

/* Of a request: what was there at this moment has it. */
static void act(struct delivery *delivery, const struct inv_run_view *view, int signum)
{
	uint64_t now_ticks = process_ticks_now();

	delivery->moment = (struct delivery_moment){
	        .from = now_ticks, .to = now_ticks, .newest = (unsigned)process_newest()};
	if (signum == 0 && delivery->stop_command)
		stop(delivery);
	else if (signum != 0 && view->flags & INV_RUN_SIGNAL_COMMAND && !delivery->command_ended)
		signal_command(&delivery->scope, signum);
	else if (signum != 0)
		delivery_signal_all(delivery, signum);
}

/* Nested supervisors kill their own processes, so that their records say so; those that
 * do not in time are killed with their processes. */
static void kill_all(struct delivery *delivery, int64_t now_ns)
{
	if (delivery->kill_began_ns == 0) {
		delivery->kill_began_ns = now_ns;
		inv_run_killed(delivery->invocation);
	}
	inv_run_kill_nested(delivery->invocation);

	bool late = now_ns - delivery->kill_began_ns >= NESTED_KILL_NS;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		int error = delivery_find(delivery, late ? PROCESSES_EVERYTHING : PROCESSES_OWN,
		                          &delivery->found);

		if (error)
			signal_command_alone(delivery, error, SIGKILL);
		if (error || delivery->found.count == 0)
			return;
		for (size_t at = 0; at < delivery->found.count; at++)
			delivery_signal_one(delivery, &delivery->found.items[at], SIGKILL);
	}
}

void delivery_step(struct delivery *delivery, const struct inv_run_view *view,
                   const struct escalation_decision *decision, int64_t now_ns)
{
	switch (decision->step) {
	case STEP_REQUEST_DEADLINE:
		inv_run_request(delivery->invocation, INV_CAUSE_DEADLINE, 0, NULL);
		break;
	case STEP_DELIVER:
		/* Else a check has taken the request meanwhile. */
		if (delivery->alone || inv_run_take(delivery->invocation) == 1)
			act(delivery, view, decision->signal);
		break;
	case STEP_SIGNAL:
		/* The signal delivers a pending request. */
		if (!delivery->alone)
			inv_run_take(delivery->invocation);
		act(delivery, view, decision->signal);
		break;
	case STEP_TAKE:
		inv_run_take(delivery->invocation);
		break;
	case STEP_KILL:
		kill_all(delivery, now_ns);
		break;
	case STEP_DECIDE:
	case STEP_LEFTOVERS:
	case STEP_FINISH:
	case STEP_TERMINATE_FINISH:
		ending_step(delivery, view, decision->step, now_ns);
		break;
	case STEP_WAIT:
	case STEP_END:
		break;
	}
}

/* One that was sent SIGSTOP may not have stopped yet: it waits in vfork(2), state D, for a child
 * that has. */
static void continue_processes(struct delivery *delivery)
{
	struct process_list *found = &delivery->found;
	int error = delivery_find(delivery, PROCESSES_OWN, found);

	if (error)
		signal_command_alone(delivery, error, SIGCONT);
	for (size_t i = 0; i < found->count; i++)
		if (delivery->stopped || found->items[i].state == 'T' ||
		    found->items[i].state == 'D')
			delivery_signal_one(delivery, &found->items[i], SIGCONT);
}

void delivery_pause(struct delivery *delivery, struct inv_run_view *view)
{
	if (!view->stop)
		return;
	if (!view->paused || delivery->command_ended) {
		continue_processes(delivery);
		delivery->stopped = false;
		view->stop = 0;
		if (!delivery->alone)
			inv_run_continued(delivery->invocation);
	} else if (!view->shielded && !delivery->stopped) {
		delivery->stopped = true;
		signal_own(delivery, SIGSTOP);
	}
}

/* A subreaper without children has no descendants: mostly /proc need not be read. */
static bool childless(const struct delivery *delivery)
{
	siginfo_t info;

	return delivery->scope.supervisor == getpid() &&
	       waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

static bool anything_left(struct delivery *delivery)
{
	enum process_reach reach =
	        delivery->kill_began_ns != 0 ? PROCESSES_EVERYTHING : PROCESSES_OWN;

	if (childless(delivery))
		return false;
	/* The finish command must not park what a nested invocation still moves. */
	if (delivery->finish == INV_FINISH_PENDING && !delivery->alone &&
	    inv_run_nested(delivery->invocation) > 0)
		return true;
	return delivery_find(delivery, reach, &delivery->found) != 0 || delivery->found.count > 0;
}

/* A check has taken a request since the last turn. */
static void note_delivery(struct delivery *delivery, const struct inv_run_view *view)
{
	uint64_t now_ticks = process_ticks_now();
	uint32_t settled = view->delivered && !view->pending ? view->request : 0;

	if (settled != 0 && settled != delivery->settled && !view->signalled &&
	    delivery->turn_ticks != 0)
		delivery->moment = (struct delivery_moment){.from = delivery->turn_ticks,
		                                            .to = now_ticks,
		                                            .newest = (unsigned)view->newest};
	if (settled != 0)
		delivery->settled = settled;
	delivery->turn_ticks = now_ticks;
}

/* Once for each such shield: a request is delivered in spite of it. */
static void report_ran_out(struct delivery *delivery, const struct inv_run_view *view)
{
	char limit[DURATION_TEXT_BYTES], name[16] = "elsewhere", text[192];

	if (!view->shield_ran_out || delivery->ran_out_reported) {
		delivery->ran_out_reported = view->shield_ran_out;
		return;
	}
	delivery->ran_out_reported = true;
	duration_format(view->shield_limit_ns, limit);
	if (view->shield_pid != 0)
		process_command(view->shield_pid, name);
	snprintf(text, sizeof(text),
	         "the shield of process %d (%s) has run out after its limit of %s, and requests "
	         "are not held back any more",
	         (int)view->shield_pid, name, limit);
	message("%s", text);
	inv_run_log(delivery->invocation, LOG_WARNING, text);
}

void delivery_gather(struct delivery *delivery, const struct inv_run_view *view, int64_t now_ns,
                     struct escalation_facts *facts)
{
	note_delivery(delivery, view);
	if (!delivery->alone)
		report_ran_out(delivery, view);
	*facts = (struct escalation_facts){.now_ns = now_ns,
	                                   .command_ended = delivery->command_ended,
	                                   .command_ended_ns = delivery->command_ended_ns,
	                                   .finish = delivery->finish,
	                                   .finish_started_ns = delivery->finish_started_ns,
	                                   .finish_timeout_ns = delivery->finish_timeout_ns};
	if (!delivery->alone && escalation_needs_nested(&delivery->escalation, view))
		facts->nested = inv_run_nested(delivery->invocation);
	if (escalation_needs_left(view, facts))
		facts->anything_left = anything_left(delivery);
}

void delivery_free(struct delivery *delivery)
{
	process_list_free(&delivery->found);
	process_list_free(&delivery->dropped);
}

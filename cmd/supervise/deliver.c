/*
 * Carries out what the ladder decides: see deliver.h.
 *
 * Between the look at /proc and the signal a process may fork. Where nobody
 * catches the signal, whatever is found new after it was forked before it, so
 * the look is repeated; where somebody does, it may be clean-up, which is left
 * alone.
 */
#include "supervise/deliver.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/message.h"
#include "supervise/process_table.h"
#include "supervise/stop_command.h"

/* How long nested supervisors, told to kill, are given to do it. */
#define NESTED_KILL_NS INT64_C(3000000000)

/* How long a command that was signalled alone is given to end, before others are looked for. */
#define COMMAND_ENDS_MS 5

enum {
	LOOKS = 4, /* at a tree that goes on forking */
	NESTED_LIMIT = 256,
};

/* Parents first: a shell whose child is signalled first would start the next one. */
static int by_age(const void *a, const void *b)
{
	const struct process *one = a, *other = b;

	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	return one->pid < other->pid ? -1 : one->pid > other->pid;
}

static bool look(struct delivery *delivery, enum process_reach reach)
{
	struct process_list *found = &delivery->found;

	if (processes_find(&delivery->scope, reach, found) != 0)
		return false;
	if (found->count > 1)
		qsort(found->items, found->count, sizeof(*found->items), by_age);
	return true;
}

/* What is stopped gets the signal when it goes on. */
static bool wakes_the_stopped(int signum)
{
	return signum != SIGKILL && signum != SIGCONT && signum != SIGSTOP && signum != SIGTSTP &&
	       signum != SIGTTIN && signum != SIGTTOU;
}

static void signal_one(struct delivery *delivery, const struct process *process, int signum)
{
	int error = process_signal(process, signum);

	if (error == 0 && process->state == 'T' && wakes_the_stopped(signum))
		process_signal(process, SIGCONT);
	if (error != -EPERM || delivery->told_denied)
		return;
	delivery->told_denied = true;
	message("process %d (%s) is not yours to signal, and goes on; root can end it",
	        (int)process->pid, process->name);
}

/* A `run` that has not registered yet catches signals too, but cleans nothing up. */
static bool anybody_catches(const struct process_list *list, int signum)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, "invctl") != 0 &&
		    process_catches(list->items[i].pid, signum))
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

/* Signal those that were not there before. Returns how many there were. */
static size_t signal_new(struct delivery *delivery, const struct process_list *found,
                         const struct process_list *before, int signum)
{
	size_t count = 0;

	for (size_t i = 0; i < found->count; i++) {
		if (contains(before, &found->items[i]))
			continue;
		signal_one(delivery, &found->items[i], signum);
		count++;
	}
	return count;
}

struct nested {
	pid_t supervisors[NESTED_LIMIT];
	size_t count;
};

static void look_at_nested(struct delivery *delivery, struct nested *nested)
{
	nested->count = 0;
	if (!delivery->alone)
		nested->count = inv_run_nested_pids(delivery->invocation, nested->supervisors,
		                                    NESTED_LIMIT);
	if (nested->count > NESTED_LIMIT)
		nested->count = NESTED_LIMIT;
}

static bool is_supervisor(const struct nested *nested, pid_t pid)
{
	for (size_t i = 0; i < nested->count; i++)
		if (nested->supervisors[i] == pid)
			return true;
	return false;
}

/* A nested `run` that was forked before the signal, and registered after the request
 * was taken, has heard of neither: ask it, as it would have been refused before. */
static void ask_newcomers(struct delivery *delivery, const struct nested *before)
{
	struct nested now;

	look_at_nested(delivery, &now);
	if (now.count == 0 || before->count == NESTED_LIMIT ||
	    !look(delivery, PROCESSES_EVERYTHING))
		return;
	for (size_t i = 0; i < delivery->found.count; i++) {
		const struct process *process = &delivery->found.items[i];

		if (is_supervisor(&now, process->pid) && !is_supervisor(before, process->pid))
			signal_one(delivery, process, SIGTERM);
	}
}

/* The command comes first, being the oldest. Where nothing is nested it is surely this
 * invocation's, and where it can't start a clean-up that must be left alone, it is told
 * before the look for what else there is. false: it was not told. */
static bool signal_command(struct delivery *delivery, const struct nested *nested, int signum)
{
	pid_t command = delivery->scope.command;
	struct process *process = process_list_room(&delivery->had);
	bool catches;
	char state;

	/* Our own child that is not reaped yet keeps its pid. */
	if (delivery->scope.supervisor != getpid() || command <= 0 || nested->count > 0 ||
	    !process || !process_state_and_catch(command, signum, &state, &catches) || catches ||
	    kill(command, signum) != 0)
		return false;
	if (state == 'T' && wakes_the_stopped(signum))
		kill(command, SIGCONT);
	delivery->had.count = process_read(command, process) == 0;
	delivery->rest_signum = signum;
	return true;
}

/* Without descriptors or memory the processes can't be looked for. The command is known
 * all the same: to its supervisor as a child that is not reaped yet. */
static void signal_command_alone(struct delivery *delivery, int signum)
{
	const struct process_scope *scope = &delivery->scope;
	struct process command = {.pid = scope->command, .start = scope->command_start};

	if (!delivery->told_blind)
		message("the processes of this invocation can't be looked for (too few "
		        "descriptors, or no memory), so its command alone is signalled");
	delivery->told_blind = true;
	if (scope->command > 0 && scope->supervisor == getpid())
		kill(scope->command, signum);
	else if (scope->command > 0 && command.start != 0)
		process_signal(&command, signum);
}

/* All that have not had the signal before. */
static void signal_others(struct delivery *delivery, const struct nested *nested, int signum)
{
	bool clean_up = false;

	for (int i = 0; i < LOOKS && !clean_up; i++) {
		if (!look(delivery, PROCESSES_OWN)) {
			if (delivery->had.count == 0)
				signal_command_alone(delivery, signum);
			break;
		}
		struct process_list found = delivery->found;

		clean_up = anybody_catches(&found, signum);
		if (signal_new(delivery, &found, &delivery->had, signum) == 0)
			break;
		delivery->found = delivery->had;
		delivery->had = found;
	}
	delivery->had.count = 0;
	if (!clean_up)
		ask_newcomers(delivery, nested);
}

/* Most commands end of it at once, and have left nothing: then that is all. */
static void signal_all(struct delivery *delivery, int signum)
{
	struct nested nested;

	look_at_nested(delivery, &nested);
	if (signal_command(delivery, &nested, signum))
		process_await_end(delivery->scope.command, COMMAND_ENDS_MS);
	else
		signal_others(delivery, &nested, signum);
}

static void stop(struct delivery *delivery)
{
	int error = stop_command_start(delivery->stop_command, delivery->cwd, delivery->environment,
	                               delivery->scope.id, inv_table_name(delivery->scope.table));

	if (error)
		message("the stop command can't be run: %s", inv_strerror(error));
}

static void act(struct delivery *delivery, int signum)
{
	if (signum != 0)
		signal_all(delivery, signum);
	else if (delivery->stop_command)
		stop(delivery);
}

/* Nested supervisors do it themselves, so that their records tell it; those
 * that don't in time are no better than what they supervise. */
static void kill_all(struct delivery *delivery, int64_t now_ns)
{
	if (delivery->kill_began_ns == 0) {
		delivery->kill_began_ns = now_ns;
		inv_run_killed(delivery->invocation);
	}
	inv_run_kill_nested(delivery->invocation);

	bool late = now_ns - delivery->kill_began_ns >= NESTED_KILL_NS;

	for (int i = 0; i < LOOKS; i++) {
		if (!look(delivery, late ? PROCESSES_EVERYTHING : PROCESSES_OWN)) {
			signal_command_alone(delivery, SIGKILL);
			return;
		}
		if (delivery->found.count == 0)
			return;
		for (size_t at = 0; at < delivery->found.count; at++)
			signal_one(delivery, &delivery->found.items[at], SIGKILL);
	}
}

void delivery_step(struct delivery *delivery, const struct escalation_decision *decision,
                   int64_t now_ns)
{
	switch (decision->step) {
	case STEP_REQUEST_DEADLINE:
		inv_run_request(delivery->invocation, INV_CAUSE_DEADLINE, 0, NULL);
		break;
	case STEP_DELIVER:
		/* Nothing was pending any more: a check was quicker. */
		if (delivery->alone || inv_run_take(delivery->invocation) == 1)
			act(delivery, decision->signal);
		break;
	case STEP_SIGNAL:
		/* What is pending is delivered by it. */
		if (!delivery->alone)
			inv_run_take(delivery->invocation);
		act(delivery, decision->signal);
		break;
	case STEP_KILL:
		kill_all(delivery, now_ns);
		break;
	case STEP_WAIT:
	case STEP_END:
		break;
	}
}

/* A subreaper without children has no descendants: most ends need no look at /proc. */
static bool childless(const struct delivery *delivery)
{
	siginfo_t info;

	return delivery->scope.supervisor == getpid() &&
	       waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

/* Nothing was nested when the command was signalled. */
static void signal_rest(struct delivery *delivery)
{
	const struct nested none = {.count = 0};
	int signum = delivery->rest_signum;

	delivery->rest_signum = 0;
	if (!childless(delivery))
		signal_others(delivery, &none, signum);
	delivery->had.count = 0;
}

static bool anything_left(struct delivery *delivery)
{
	enum process_reach reach =
	        delivery->kill_began_ns != 0 ? PROCESSES_EVERYTHING : PROCESSES_OWN;

	if (childless(delivery))
		return false;
	return !look(delivery, reach) || delivery->found.count > 0;
}

void delivery_look(struct delivery *delivery, const struct inv_run_view *view,
                   struct escalation_facts *facts)
{
	if (delivery->rest_signum != 0)
		signal_rest(delivery);
	facts->nested = 0;
	facts->anything_left = false;
	if (!delivery->alone && escalation_needs_nested(&delivery->escalation, view))
		facts->nested = inv_run_nested(delivery->invocation);
	if (escalation_needs_left(&delivery->escalation, view, facts->command_ended))
		facts->anything_left = anything_left(delivery);
}

void delivery_free(struct delivery *delivery)
{
	processes_free(&delivery->found);
	processes_free(&delivery->had);
}

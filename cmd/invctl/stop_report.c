/*
 * What became of those that stop-all has requested to stop.
 *
 * They are in several tables, and some are known by their supervisor's process alone, so there is
 * no one word to sleep on: all are read again every few milliseconds. A line says what was seen:
 * one has ended when its record says so, or when it has left the table or its process is gone.
 */
#include "invctl/stop_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/duration.h"
#include "common/escape.h"
#include "invctl/next_step.h"
#include "invctl/stopped_supervisor.h"
#include "os/process.h"

enum { PAUSE_MS = 20, BROKERS_EVERY = 25 };

/* ID NAME, and the table where it is not the one of the command line. */
static void print_beginning(const struct stop_target *target)
{
	char id_text[INV_ID_TEXT_BYTES], escaped[ESCAPED_BYTES(INV_NAME_BYTES)];

	inv_id_format(target->run.id, id_text);
	escape_text(target->run.name, escaped, sizeof(escaped));
	printf("%s%s%s", id_text, *escaped ? " " : "", escaped);
	if (target->table && !target->table->ours)
		printf(" in table %s", target->table->name);
}

static void print_end(const struct stop_target *target, const struct inv_info *info)
{
	print_beginning(target);
	if (info->cause == INV_CAUSE_LOST)
		printf(": ended: lost, as its processes have ended unseen\n");
	else
		printf(": ended: %s\n", inv_status_name(info->status));
}

static bool process_has_ended(const struct stop_target *target)
{
	struct process_identity identity = {.pid = target->run.supervisor,
	                                    .start = target->run.supervisor_start};

	return process_life(&identity) == PROCESS_DEAD;
}

/* Prints its line then. */
static bool has_ended(const struct stop *stop, const struct stop_target *target)
{
	struct inv_info info;

	if (!target->table) {
		if (!process_has_ended(target))
			return false;
		print_beginning(target);
		printf(": ended\n");
		return true;
	}
	inv_table *table = stop_table_open(stop, target->table);
	int error = table ? inv_info_get(table, target->run.id, &info) : -ESTALE;
	if (error == -ENOENT) {
		print_beginning(target);
		printf(": ended, and left no record\n");
	}
	if (error == 0 && info.completed_ns != 0)
		print_end(target, &info);
	return error == -ENOENT || (error == 0 && info.completed_ns != 0);
}

/* A command that is named needs --table where the target is in another table. */
static void print_step(const struct stop_target *target, const char *step)
{
	static const char command[] = "invctl ";
	const char *at = target->table->ours ? NULL : strstr(step, command);
	int before = at ? (int)(at - step) + (int)strlen(command) : 0;

	if (at)
		printf("%.*s--table=%s %s\n", before, step, target->table->name, step + before);
	else
		printf("%s\n", step);
}

static void print_next(const struct stop_target *target, inv_table *table,
                       const struct inv_info *info)
{
	pid_t broker = stopped_broker_of(table, info);
	char step[NEXT_STEP_BYTES];

	if (broker) {
		printf("its supervisor is dead, and the broker that acts in its place is stopped; "
		       "next: kill -CONT %d\n",
		       (int)broker);
		return;
	}
	next_step(table, info, 0, step);
	print_step(target, step);
}

/* true: it is cleaning up, as far as is seen. */
static bool print_live(const struct stop_target *target, inv_table *table,
                       const struct inv_info *info)
{
	const struct inv_request *request = &info->cancel;
	bool delivered = request->state > INV_CANCEL_REQUESTED;
	char ago[DURATION_TEXT_BYTES];

	duration_format(request->age_ns, ago);
	print_beginning(target);
	if (info->finishing)
		printf(": cleaning up: its command has ended, and its finish command runs; ");
	else if (delivered)
		printf(": cleaning up: %s, %s after the request, and has not ended; ",
		       inv_cancel_state_name(request->state), ago);
	else
		printf(": not responding: requested %s ago, and not delivered%s; ", ago,
		       info->shielded ? " (shielded)" : "");
	print_next(target, table, info);
	return delivered || info->finishing;
}

static bool print_unended(const struct stop *stop, const struct stop_target *target)
{
	struct inv_info info;

	if (!target->table) {
		print_beginning(target);
		printf(": not responding: its supervisor, process %d, got SIGTERM and has not "
		       "ended; next: pstree -p %d\n",
		       (int)target->run.supervisor, (int)target->run.supervisor);
		return false;
	}
	inv_table *table = stop_table_open(stop, target->table);
	if (table && inv_info_get(table, target->run.id, &info) == 0)
		return print_live(target, table, &info);
	print_beginning(target);
	printf(": not known: table %s can't be read any more; next: invctl list\n",
	       target->table->name);
	return false;
}

/* How many have not ended. */
static size_t report_ended(struct stop *stop)
{
	size_t left = 0;

	for (size_t i = 0; i < stop->count; i++) {
		struct stop_target *target = &stop->targets[i];
		if (!target->ended)
			target->ended = has_ended(stop, target);
		left += !target->ended;
	}
	return left;
}

void stop_report(struct stop *stop, int64_t until_ns, struct stop_outcome *outcome)
{
	size_t left;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned turn = 0; (left = report_ended(stop)) > 0; turn++) {
		if (until_ns != INV_FOREVER && clock_monotonic_ns() >= until_ns)
			break;
		/* One may die meanwhile. */
		if (turn % BROKERS_EVERY == 0)
			stop_have_brokers(stop);
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * NS_PER_MS}, NULL);
	}
	*outcome = (struct stop_outcome){.ended = stop->count - left};
	for (size_t i = 0; i < stop->count; i++) {
		if (stop->targets[i].ended)
			continue;
		if (print_unended(stop, &stop->targets[i]))
			outcome->cleaning_up++;
		else
			outcome->not_responding++;
	}
}

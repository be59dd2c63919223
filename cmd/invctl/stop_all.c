/*
 * invctl stop-all: the emergency.
 *
 * Exit status: 119 where any still runs, as that is the most urgent; else 118 where a table was not
 * reached; both are said.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl/actor.h"
#include "invctl/await.h"
#include "invctl/command.h"
#include "invctl/hold.h"
#include "invctl/stop_report.h"
#include "invctl/stop_tables.h"

#define USUAL_WAIT_NS (10 * NS_PER_SECOND)

enum { OPTION_WAIT = 256 };

struct arguments {
	const char *reason;
	int64_t wait_ns;
};

static const struct argp_option options[] = {
        {"reason", 'r', "TEXT", 0, "Why: the note of the hold, and for those who are stopped", 0},
        {"wait", OPTION_WAIT, "DURATION", 0, "Wait that long for them to end (default: 10s)", 0},
        {0},
};

static const char documentation[] =
        "The emergency: put every table on hold that you may open, and request all that runs there "
        "to "
        "stop.\v"
        "Then it waits, and prints a line for each: ended, cleaning up, or not responding and the "
        "next step. It sends no SIGKILL: 'invctl cancel --kill' does. 'invctl release' lets new "
        "ones start again. For one invocation there is 'invctl cancel'.\n\n"
        "It is software for stopping work cleanly, not a safety interlock.\n\n"
        "Examples:\n"
        "  invctl stop-all\n"
        "  invctl stop-all -r 'gas alarm' --wait=1m\n\n"
        "Exit status: 0 all has ended and every table is on hold, 119 something still runs, else "
        "118 a table could not be reached.";

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl stop-all");
		return 0;
	case 'r':
		arguments->reason = value;
		return 0;
	case OPTION_WAIT:
		arguments->wait_ns = duration_option(state, "--wait", value);
		return 0;
	case ARGP_KEY_ARG:
		usage_error(
		        state,
		        "stop-all stops everything in every table, and takes no argument such as "
		        "'%s', so nothing was stopped; 'invctl cancel' stops one",
		        value);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, NULL, documentation, NULL, NULL, NULL};

/* Those that only their run files show are not of the tables that could not be reached: their
 * programs that are linked with the library may be. */
static void explain_unreached(const struct stop_table *table)
{
	char named[TABLE_WORDS_BYTES];

	hold_name_table(table->name, table->uid, named);
	switch (table->error) {
	case -EPROTO:
		message("%s was made by another version of invctl, so it is not on hold; what "
		        "'invctl run' supervises there got SIGTERM: use that version for the rest",
		        named);
		return;
	case -EBADMSG:
		message("%s is damaged or no table, so it is not on hold; what 'invctl run' "
		        "supervises there got SIGTERM: see 'invctl --table=%s status'",
		        named, table->name);
		return;
	case -EACCES:
	case -EPERM:
		message("%s is not yours to open, so nothing there was stopped: its user or root "
		        "can",
		        named);
		return;
	default:
		message("%s could not be reached (%s), so it is not on hold; what 'invctl run' "
		        "supervises there got SIGTERM if its run file is in INVCTL_STATE_DIR",
		        named, inv_strerror(table->error));
	}
}

/* How many tables are on hold; *unreached: how many are not. */
static size_t report_tables(const struct stop *stop, size_t *unreached)
{
	size_t held = 0;

	for (size_t i = 0; i < stop->table_count; i++) {
		const struct stop_table *table = &stop->tables[i];
		char named[TABLE_WORDS_BYTES];

		if (table->error) {
			explain_unreached(table);
			continue;
		}
		held++;
		hold_name_table(table->name, table->uid, named);
		if (!table->ours)
			message("%s is on hold, too; 'invctl --table=%s release' releases it",
			        named, table->name);
	}
	*unreached = stop->table_count - held;
	return held + stop->tables_unlisted;
}

static void summarize(const struct stop *stop, const struct stop_outcome *outcome, size_t held)
{
	char unlisted[80] = "";

	if (stop->unlisted > 0)
		snprintf(unlisted, sizeof(unlisted),
		         ", and %zu more for which there was no memory here", stop->unlisted);
	message("%zu requested to stop%s: %zu ended, %zu cleaning up, %zu not responding; %zu "
	        "table%s on hold until 'invctl release'",
	        stop->count, unlisted, outcome->ended, outcome->cleaning_up,
	        outcome->not_responding, held, held == 1 ? "" : "s");
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {.wait_ns = USUAL_WAIT_NS};
	struct stop stop = {.globals = globals};
	struct stop_outcome outcome;
	size_t unreached;

	options_parse(&argp, argc, argv, 0, &arguments);
	stop.reason = arguments.reason;
	actor_find();
	int64_t stored_until_ns = clock_monotonic_ns() + HOLD_STORED_PATIENCE_NS;
	stop_tables(&stop);
	stop_report(&stop, await_until(arguments.wait_ns), &outcome);
	for (size_t i = 0; i < stop.table_count; i++)
		if (stop.tables[i].error == 0 && stop_table_open(&stop, &stop.tables[i]))
			hold_have_stored(stop.tables[i].table, "the hold", stored_until_ns);
	size_t held = report_tables(&stop, &unreached);
	summarize(&stop, &outcome, held);
	if (outcome.ended < stop.count || stop.unlisted > 0)
		return EXIT_TIMED_OUT;
	return unreached > 0 || stop.incomplete ? EXIT_DENIED : EXIT_DONE;
}

const struct command command_stop_all = {
        .name = "stop-all", .purpose = "the emergency: hold, and stop everything", .run = run};

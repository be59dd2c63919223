/*
 * invctl pause and invctl resume: stop an action inside its next check, and let it go on.
 *
 * The processes of what never checks are stopped by its supervisor. pause waits for that, so that
 * it says what is so.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/escape.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"
#include "invctl/actor.h"
#include "invctl/command.h"
#include "invctl/selectors.h"
#include "invctl/stopped_supervisor.h"
#include "os/process.h"

#define STOP_WAIT_NS (2 * NS_PER_SECOND)
#define STOP_POLL_NS (5 * NS_PER_MS)

enum { VFORK_POLLS = 20 };

enum { OPTION_STOP_PROCESSES = 256, LABEL_BYTES = INV_ID_TEXT_BYTES + 4 * INV_NAME_BYTES + 4 };

struct arguments {
	char *name; /* of the command, for its help */
	struct selectors selectors;
	unsigned flags; /* of inv_pause */
};

static const struct argp_option pause_options[] = {
        {"stop-processes", OPTION_STOP_PROCESSES, NULL, 0,
         "Where an action has never checked, stop its processes by SIGSTOP", 0},
        {0},
};

static const char pause_documentation[] =
        "Pause invocations, and all that they started as invocations.\v"
        "A cooperative action (invctl check, sleep; the library) stops inside its next check or "
        "sleep until it is resumed; the time that a sleep has left does not run down. One that has "
        "never checked is refused, or with --stop-processes its processes are stopped. Deadlines "
        "run on, and a request to stop ends the pause.\n\n" HELP_SELECTOR "\n\n"
        "Examples:\n"
        "  invctl pause scan                      until 'invctl resume scan'\n"
        "  invctl pause --stop-processes export   although it never checks\n\n"
        "Exit status: 0 paused, 113 no such invocation, 114 ambiguous, 115 already finished, 118 "
        "refused (it has never checked, or its stop was requested), 119 its processes are not "
        "stopped yet. Several: all are tried, the first failure counts.";

static const char resume_documentation[] =
        "Resume invocations, and all that they started as invocations.\v"
        "What is stopped in a check or sleep goes on, as do processes that --stop-processes of "
        "'invctl pause', Ctrl-Z or another signal has stopped.\n\n" HELP_SELECTOR "\n\n"
        "Examples:\n"
        "  invctl resume scan\n"
        "  invctl resume --all\n\n"
        "Exit status: 0 it is not paused (any more), 113 no such invocation, 114 ambiguous, 115 "
        "already finished. Several: all are tried, the first failure counts.";

static const struct argp_child children[] = {{&selectors_argp, 0, NULL, 0}, {0}};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	(void)value;
	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, arguments->name);
		state->child_inputs[0] = &arguments->selectors;
		return 0;
	case OPTION_STOP_PROCESSES:
		arguments->flags |= INV_PAUSE_STOP_PROCESSES;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp pause_argp = {
        pause_options, parse_option, "SELECTOR...", pause_documentation, children, NULL, NULL};
static const struct argp resume_argp = {NULL,     parse_option, "SELECTOR...", resume_documentation,
                                        children, NULL,         NULL};

struct action {
	const struct globals *globals;
	inv_table *table;
	const struct targets *targets;
	const struct target *target; /* the present one */
	unsigned flags;
};

/* "3f2a… (scan)" */
static void label_of(const struct action *action, const uint8_t id[16], char label[LABEL_BYTES])
{
	char id_text[INV_ID_TEXT_BYTES], name[4 * INV_NAME_BYTES + 1] = "";
	struct inv_info info;

	inv_id_format(id, id_text);
	if (inv_info_get(action->table, id, &info) == 0)
		escape_text(info.name, name, sizeof(name));
	snprintf(label, LABEL_BYTES, "%s (%s)", id_text, name);
}

/* Said of those alone that are no targets: these get a message of their own. */
static void report_going_on(const uint8_t id[16], void *arg)
{
	const struct action *action = arg;
	char label[LABEL_BYTES], target_text[INV_ID_TEXT_BYTES];

	for (size_t i = 0; i < action->targets->count; i++)
		if (memcmp(action->targets->list[i].id, id, 16) == 0)
			return;
	label_of(action, id, label);
	inv_id_format(action->target->id, target_text);
	if (action->flags & INV_PAUSE_STOP_PROCESSES)
		message("nested invocation %s has never checked, and goes on until it does: it is "
		        "a "
		        "program without a supervisor that could stop it",
		        label);
	else
		message("nested invocation %s has never checked, and goes on until it does; "
		        "'invctl pause --stop-processes %.8s' stops its processes",
		        label, target_text);
}

static int finished(const struct action *action)
{
	char id_text[INV_ID_TEXT_BYTES];
	struct inv_info info;

	inv_id_format(action->target->id, id_text);
	if (inv_info_get(action->table, action->target->id, &info) == 0 && info.finishing)
		message("invocation %s is finishing: its command has ended, and what follows is "
		        "never paused",
		        id_text);
	else
		message("invocation %s has already finished; 'invctl show %s' tells how", id_text,
		        id_text);
	return EXIT_FINISHED;
}

/* What the call for one came to, as an exit status. */
static int status_of(const struct action *action, int error)
{
	char label[LABEL_BYTES], id_text[INV_ID_TEXT_BYTES];

	label_of(action, action->target->id, label);
	inv_id_format(action->target->id, id_text);
	switch (error) {
	case 0:
		return EXIT_DONE;
	case -ENOENT:
		return selector_unknown(id_text);
	case -EALREADY:
		return finished(action);
	case -ECANCELED:
		message("invocation %s was requested to stop, so it can't be paused", label);
		return EXIT_DENIED;
	case -EOPNOTSUPP:
		if (action->flags & INV_PAUSE_STOP_PROCESSES)
			message("invocation %s has never checked, and is a program without a "
			        "supervisor that could stop it",
			        label);
		else
			message("invocation %s has never checked, so it would not notice a pause; "
			        "'invctl pause --stop-processes %.8s' stops its processes",
			        label, id_text);
		return EXIT_DENIED;
	case -ENOMEM:
		message("there is not enough memory to reach what is nested in invocation %s; "
		        "repeat the command",
		        label);
		return EXIT_INTERNAL;
	default:
		message("invocation %s can't be reached: %s", label, inv_strerror(error));
		return EXIT_INTERNAL;
	}
}

/* The broker does the work of a dead supervisor. */
static void have_supervisor(const struct action *action, const struct inv_info *info)
{
	if (info->orphaned && !inv_table_have_broker(action->table))
		message("no broker serves table '%s', and could not be started: the processes that "
		        "a dead 'invctl run' left stay as they are until 'invbroker' runs",
		        attach_name(action->globals));
}

/* false: it runs, after a bounded wait. A pause that has ended meanwhile is no failure. One that
 * was in vfork(2) at that moment stays there, as its child is stopped. */
static bool stops_soon(const struct action *action, struct inv_info *info)
{
	const struct timespec poll = {.tv_nsec = STOP_POLL_NS};
	int64_t until_ns = clock_monotonic_ns() + STOP_WAIT_NS;
	int in_vfork = 0;

	while (inv_info_get(action->table, action->target->id, info) == 0 && info->paused) {
		char state = process_state(info->pid);

		in_vfork = state == 'D' ? in_vfork + 1 : 0;
		if (info->pid == 0 || state == 'T' || in_vfork == VFORK_POLLS)
			return true;
		if (clock_monotonic_ns() >= until_ns || info->shielded)
			return false;
		nanosleep(&poll, NULL);
	}
	return true;
}

static int await_stop(const struct action *action)
{
	char label[LABEL_BYTES];
	struct inv_info info;

	if (!(action->flags & INV_PAUSE_STOP_PROCESSES) ||
	    inv_info_get(action->table, action->target->id, &info) != 0 || info.cooperative)
		return EXIT_DONE;
	have_supervisor(action, &info);
	if (stops_soon(action, &info))
		return EXIT_DONE;
	label_of(action, action->target->id, label);
	if (info.shielded) {
		message("invocation %s is shielded: its processes are stopped when the shield ends",
		        label);
		return EXIT_DONE;
	}
	if (supervisor_is_stopped(&info))
		supervisor_report_stopped(&info);
	else
		message("the processes of invocation %s are not stopped yet; 'invctl show %.8s' "
		        "tells when they are",
		        label, label);
	return EXIT_TIMED_OUT;
}

static int pause_one(struct action *action)
{
	int error = inv_pause_report(action->table, action->target->id, action->flags,
	                             report_going_on, action);
	int status = status_of(action, error);

	return status == EXIT_DONE ? await_stop(action) : status;
}

/* A supervisor that Ctrl-Z has stopped with its command can't continue that. */
static int resume_one(struct action *action)
{
	int status = status_of(action, inv_resume(action->table, action->target->id, 0));
	struct inv_info info;

	if (status == EXIT_DONE && inv_info_get(action->table, action->target->id, &info) == 0) {
		supervisor_let_go_on(&info);
		have_supervisor(action, &info);
	}
	return status;
}

static int each_target(const struct globals *globals, const struct arguments *arguments,
                       int (*one)(struct action *action))
{
	struct action action = {.globals = globals, .flags = arguments->flags};
	struct targets targets;
	int error = attach_table(globals, 0, &action.table);

	if (error < 0 && error != -ENOENT)
		return attach_failure(globals, error);

	int status = selectors_resolve(globals, action.table, &arguments->selectors, &targets);

	actor_find();
	action.targets = &targets;
	for (size_t i = 0; i < targets.count; i++) {
		action.target = &targets.list[i];

		int failure = action.target->failure ? action.target->failure : one(&action);

		status = status ? status : failure;
	}
	targets_free(&targets);
	return status;
}

static int run_pause(int argc, char **argv, const struct globals *globals)
{
	static char name[] = "invctl pause";
	struct arguments arguments = {.name = name};

	options_parse(&pause_argp, argc, argv, 0, &arguments);
	return each_target(globals, &arguments, pause_one);
}

static int run_resume(int argc, char **argv, const struct globals *globals)
{
	static char name[] = "invctl resume";
	struct arguments arguments = {.name = name};

	options_parse(&resume_argp, argc, argv, 0, &arguments);
	return each_target(globals, &arguments, resume_one);
}

const struct command command_pause = {
        .name = "pause", .purpose = "stop invocations inside their next check", .run = run_pause};
const struct command command_resume = {
        .name = "resume", .purpose = "let paused invocations go on", .run = run_resume};

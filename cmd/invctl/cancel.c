/* invctl cancel: request invocations to stop. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/escape.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"
#include "invctl/actor.h"
#include "invctl/cancel_dry_run.h"
#include "invctl/cancel_other_version.h"
#include "invctl/cancel_wait.h"
#include "invctl/command.h"
#include "invctl/next_step.h"
#include "invctl/selectors.h"
#include "invctl/stopped_supervisor.h"
#include "invctl/story.h"

enum {
	OPTION_ONLY = 256,
	OPTION_SIGNAL,
	OPTION_KILL,
	OPTION_WAIT,
	OPTION_IDEMPOTENT,
	OPTION_DRY_RUN
};

struct arguments {
	struct selectors selectors;
	const char *reason;
	unsigned flags; /* of inv_cancel */
	bool wait;
	int64_t wait_ns;
	bool idempotent;
	bool verbose;
	bool dry_run;
};

static const struct argp_option options[] = {
        {"reason", 'r', "TEXT", 0, "Why, for the record and for the one who is stopped", 0},
        {"only", OPTION_ONLY, NULL, 0, "Not what it started as invocations of their own", 0},
        {"signal", OPTION_SIGNAL, "SIGNAL", OPTION_ARG_OPTIONAL,
         "And signal its processes now, also if it is cooperative (default: the signal of run)", 0},
        {"kill", OPTION_KILL, NULL, 0, "And SIGKILL all that it started: nothing cleans up", 0},
        {"wait", OPTION_WAIT, "DURATION", OPTION_ARG_OPTIONAL,
         "Wait until they have ended; 119 if any still runs then", 0},
        {"idempotent", OPTION_IDEMPOTENT, NULL, 0, "One that has finished counts as done", 0},
        {"verbose", 'v', NULL, 0,
         "Tell the story of each: requested, last check; delivered; ended; next stronger step", 0},
        {"dry-run", OPTION_DRY_RUN, NULL, 0,
         "Print what would be requested to stop, and what is nested in it; change nothing", 0},
        {0},
};

static const char documentation[] =
        "Request invocations, and all that they started as invocations, to stop.\v"
        "An action that checks (invctl check, sleep; the library) gets the request in its next "
        "check "
        "and stops by itself. One that has never checked gets SIGTERM. Steps up: --signal, then "
        "--kill.\n\n" HELP_SELECTOR "\n\n"
        "Examples:\n"
        "  invctl cancel scan                     by name\n"
        "  invctl cancel -r 'gas leak' 3f2a       by the first digits of the id\n"
        "  invctl cancel --wait=10s scan || invctl cancel --kill scan\n"
        "  invctl cancel --name='scan-*' --dry-run   which ones are of that kind\n"
        "  invctl cancel --name='scan-*' -v --wait   and what becomes of them\n\n"
        "Exit status: 0 requested, 113 no such invocation, 114 ambiguous, 115 already finished, "
        "118 "
        "refused (run --no-kill), 119 still running after --wait. Several: all are tried, the "
        "first failure counts.";

static const struct argp_child children[] = {{&selectors_argp, 0, NULL, 0}, {0}};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl cancel");
		state->child_inputs[0] = &arguments->selectors;
		return 0;
	case 'r':
		arguments->reason = value;
		return 0;
	case OPTION_ONLY:
		arguments->flags |= INV_CANCEL_ONLY;
		return 0;
	case OPTION_SIGNAL:
		arguments->flags |=
		        value ? INV_CANCEL_WITH_SIGNAL(signal_option(state, "--signal", value))
		              : (unsigned)INV_CANCEL_SIGNAL;
		return 0;
	case OPTION_KILL:
		arguments->flags |= INV_CANCEL_KILL;
		return 0;
	case OPTION_WAIT:
		arguments->wait = true;
		arguments->wait_ns = value ? duration_option(state, "--wait", value) : INV_FOREVER;
		return 0;
	case OPTION_IDEMPOTENT:
		arguments->idempotent = true;
		arguments->selectors.names = SELECTOR_FINISHED;
		return 0;
	case 'v':
		arguments->verbose = true;
		return 0;
	case OPTION_DRY_RUN:
		arguments->dry_run = true;
		return 0;
	case ARGP_KEY_END:
		if (arguments->flags & INV_CANCEL_KILL && arguments->flags & INV_CANCEL_SIGNAL)
			usage_error(state, "--kill and --signal exclude each other: --signal "
			                   "leaves time for clean-up, --kill does not");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options,  parse_option, "SELECTOR...", documentation,
                                 children, NULL,         NULL};

/* Why it may not be signalled, by the one cause that applies. */
static void explain_refusal(inv_table *table, const uint8_t id[16], const char *id_text,
                            unsigned flags)
{
	struct inv_table_info table_info = {0};
	struct inv_info info = {0};

	inv_info_get(table, id, &info);
	inv_table_info_get(table, &table_info);
	if (flags & INV_CANCEL_KILL && info.no_kill)
		message("invocation %s was run with --no-kill, which refuses SIGKILL; "
		        "'invctl cancel --signal %.8s' signals it",
		        id_text, id_text);
	else if (table_info.shared)
		message("invocation %s is a program without a supervisor, and in a shared table "
		        "such a one is not signalled; the request was made",
		        id_text);
	else if (info.uid != geteuid())
		message("invocation %s is a program of user %u, who alone can signal it; the "
		        "request was made",
		        id_text, info.uid);
	else
		message("process %d is not verified to be the program of invocation %s, so it is "
		        "not signalled; the request was made",
		        info.pid, id_text);
}

/* What a request to one came to, as an exit status. */
static int request_status(inv_table *table, const uint8_t id[16], int error,
                          const struct arguments *arguments)
{
	char id_text[INV_ID_TEXT_BYTES];

	inv_id_format(id, id_text);
	switch (error) {
	case 0:
		return 0;
	case -EALREADY:
	case -ESTALE:
		if (arguments->idempotent)
			return 0;
		message("invocation %s has already finished; 'invctl show %s' tells how", id_text,
		        id_text);
		return EXIT_FINISHED;
	case -ENOENT:
		return selector_unknown(id_text);
	case -EPERM:
	case -EACCES:
		explain_refusal(table, id, id_text, arguments->flags);
		return EXIT_DENIED;
	default:
		message("the request to invocation %s failed: %s", id_text, inv_strerror(error));
		return EXIT_INTERNAL;
	}
}

/* Its command has ended, and something follows it, for which --wait waits. */
static bool is_finishing(inv_table *table, const uint8_t id[16])
{
	struct inv_info info;

	return inv_info_get(table, id, &info) == 0 && info.finishing;
}

static int take_result(inv_table *table, struct target *target, int error,
                       const struct arguments *arguments)
{
	char id_text[INV_ID_TEXT_BYTES];

	target->finishing = error == -EALREADY && is_finishing(table, target->id);
	if (!target->finishing || arguments->idempotent)
		return request_status(table, target->id, error, arguments);
	inv_id_format(target->id, id_text);
	message("invocation %s is finishing: its command has ended; 'invctl show %s' tells how",
	        id_text, id_text);
	return EXIT_FINISHED;
}

static int first_failure(int so_far, int status)
{
	return so_far != 0 ? so_far : status;
}

/* One call for all of them: what is a target and another's descendant gets one request. */
static int request_all(inv_table *table, struct targets *targets, const struct arguments *arguments)
{
	uint8_t(*ids)[16] = calloc(targets->count + 1, sizeof(*ids));
	int *results = calloc(targets->count + 1, sizeof(*results));
	size_t count = 0;
	int failure = 0, error = ids && results ? 0 : -ENOMEM;

	for (size_t i = 0; i < targets->count && error == 0; i++)
		if (targets->list[i].failure == 0)
			memcpy(ids[count++], targets->list[i].id, 16);
	if (error == 0 && count > 0)
		error = inv_cancel_all(table, (const uint8_t(*)[16])ids, count, arguments->flags,
		                       arguments->reason, results);
	count = 0;
	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->list[i];

		if (target->failure == 0)
			target->failure = take_result(table, target,
			                              error ? error : results[count++], arguments);
		failure = first_failure(failure, target->failure);
		/* It is waited for all the same. */
		if (target->finishing)
			target->failure = 0;
	}
	free(ids);
	free(results);
	return failure;
}

static void say_already_signalled(inv_table *table, struct inv_info *info, unsigned flags)
{
	char name[ESCAPED_BYTES(INV_NAME_BYTES)], ago[DURATION_TEXT_BYTES], step[NEXT_STEP_BYTES];

	if (!next_step_is_signal(table, flags, info))
		return;
	escape_text(info->name, name, sizeof(name));
	duration_format_words(info->cancel.age_ns, ago);
	next_step(table, info, flags, step);
	message("'%s' was already signalled %s ago; %s", name, ago, step);
}

/* What keeps a request from being carried out; -v says it in its story. A supervisor that is
 * stopped signals nothing and records no end. SIGKILL is the last resort, so it continues for that.
 */
static void see_to_obstacles(inv_table *table, const struct targets *targets,
                             const struct arguments *arguments)
{
	struct inv_info info;

	for (size_t i = 0; i < targets->count; i++) {
		if (targets->list[i].failure != 0 ||
		    inv_info_get(table, targets->list[i].id, &info) != 0)
			continue;
		if (arguments->flags & INV_CANCEL_KILL)
			supervisor_let_go_on(&info);
		else if (arguments->wait || !arguments->verbose)
			supervisor_report_stopped(&info);
		if (!arguments->verbose)
			say_already_signalled(table, &info, arguments->flags);
	}
}

static bool any_orphan(inv_table *table, const struct targets *targets)
{
	struct inv_info info;

	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i].failure == 0 &&
		    inv_info_get(table, targets->list[i].id, &info) == 0 && info.orphaned)
			return true;
	return false;
}

/*
 * Where a supervisor is dead the broker does its work, so there must be one. The
 * requests have been made before: they don't wait for it.
 */
static void have_broker(const struct globals *globals, inv_table *table,
                        const struct targets *targets)
{
	if (!inv_table_have_broker(table) && any_orphan(table, targets))
		message("no broker serves table '%s', and %s: what a dead 'invctl run' left "
		        "goes on until 'invbroker --table=%s' runs",
		        attach_name(globals),
		        attach_may_start() ? "none could be started"
		                           : "INVCTL_AUTOSTART=0 forbids to start one",
		        attach_name(globals));
}

static int cancel_targets(const struct globals *globals, inv_table *table, struct targets *targets,
                          const struct arguments *arguments)
{
	struct story *story =
	        arguments->verbose ? story_begin(table, targets, arguments->flags) : NULL;
	int failure = request_all(table, targets, arguments);

	see_to_obstacles(table, targets, arguments);
	if (table)
		have_broker(globals, table, targets);
	if (story)
		story_go_on(story);
	if (arguments->wait)
		failure = first_failure(failure, cancel_wait(table, targets, arguments->wait_ns,
		                                             arguments->flags, story));
	story_free(story);
	return failure;
}

/* What a request would come to. */
static int dry_run(inv_table *table, struct targets *targets, const struct arguments *arguments)
{
	struct inv_info info;
	int failure = 0;

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->list[i];
		int error = target->failure ? 0 : inv_info_get(table, target->id, &info);

		if (target->failure == 0 && error == 0)
			error = info.completed_ns != 0 || info.finishing             ? -EALREADY
			        : arguments->flags & INV_CANCEL_KILL && info.no_kill ? -EPERM
			                                                             : 0;
		if (error != 0)
			target->failure = take_result(table, target, error, arguments);
		failure = first_failure(failure, target->failure);
	}
	if (!table)
		return failure;
	return first_failure(failure,
	                     cancel_dry_run(table, targets, arguments->flags & INV_CANCEL_ONLY));
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {0};
	struct targets targets = {0};
	inv_table *table = NULL;

	options_parse(&argp, argc, argv, 0, &arguments);

	int error = attach_table(globals, 0, &table);

	if (error == -EPROTO)
		return cancel_other_version(
		        globals, &(struct other_version_cancel){.selectors = &arguments.selectors,
		                                                .wait = arguments.wait,
		                                                .wait_ns = arguments.wait_ns,
		                                                .dry_run = arguments.dry_run,
		                                                .more = arguments.flags != 0});
	if (error < 0 && error != -ENOENT)
		return attach_failure(globals, error);

	int status = selectors_resolve(globals, table, &arguments.selectors, &targets);

	actor_find();
	if (status == 0 && arguments.dry_run)
		status = dry_run(table, &targets, &arguments);
	else if (status == 0)
		status = cancel_targets(globals, table, &targets, &arguments);
	targets_free(&targets);
	return status;
}

const struct command command_cancel = {
        .name = "cancel", .purpose = "request invocations to stop", .run = run};

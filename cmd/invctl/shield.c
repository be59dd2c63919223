/*
 * invctl shield: a section of an action in which no request is delivered.
 *
 * COMMAND is executed in the place of this process, which holds the shield: so the shield ends when
 * COMMAND does, however that is, each signal reaches COMMAND itself, and no process is left that
 * runs without it. A shield of --begin belongs to the calling shell, which is this process's
 * parent.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"
#include "invctl/command.h"
#include "invctl/context.h"
#include "os/process.h"
#include "supervise/processes.h"

enum { OPTION_LIMIT = 256, OPTION_BEGIN, OPTION_END };
enum { ANCESTORS_MAX = 1024 };

struct arguments {
	char **command; /* NULL: --begin or --end */
	int64_t limit_ns;
	bool begin, end;
};

static const struct argp_option options[] = {
        {"limit", OPTION_LIMIT, "DURATION", 0, "End the shield after that time (0: no limit)", 0},
        {"begin", OPTION_BEGIN, NULL, 0, "Begin a shield of the calling shell", 0},
        {"end", OPTION_END, NULL, 0, "End it", 0},
        {0},
};

static const char documentation[] =
        "Run COMMAND while no request is delivered to the current invocation or to those nested in "
        "it: check and sleep go on, signals wait, nested runs start. A request stays pending, and "
        "the next check after the shield takes it.\v"
        "Options end at COMMAND. The shield ends with COMMAND, one of --begin with the shell that "
        "called it. They nest. SIGKILL by 'cancel --kill' or 'run --kill-after' overrides "
        "it.\n\n" HELP_DURATION "\n\n"
        "Examples:\n"
        "  trap 'invctl shield ./park.sh' EXIT   in a script: park, whatever happens\n"
        "  invctl shield --begin --limit=5m      in a shell function ...\n"
        "  invctl shield --end                   ... up to here\n\n"
        "Exit status: COMMAND's; 126 it can't be executed, 127 it is not found; 1 --end without "
        "--begin; 118 the caller of --begin is not of the invocation; 125 too many processes "
        "shield it; for --begin and --end, 113 the invocation of INVCTL_ID does not exist, 115 it "
        "has finished. Outside any invocation COMMAND just runs (with INVCTL_REQUIRE=1: 113).";

static void check_arguments(struct argp_state *state, const struct arguments *arguments)
{
	if (arguments->begin && arguments->end)
		usage_error(state, "--begin and --end are two calls; leave one of them out");
	if (arguments->command && (arguments->begin || arguments->end))
		usage_error(state,
		            "--begin and --end take no COMMAND such as '%s': they are for the "
		            "calling shell",
		            arguments->command[0]);
	if (arguments->end && arguments->limit_ns != INV_FOREVER)
		usage_error(state, "--limit belongs to --begin or a COMMAND, not to --end");
	if (!arguments->command && !arguments->begin && !arguments->end)
		usage_error(state, "there is no COMMAND to run; or say --begin or --end");
	if (arguments->command && arguments->command[0][0] == '\0')
		usage_error(state, "COMMAND is empty");
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	static char name[] = "invctl shield";
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, name);
		return 0;
	case OPTION_LIMIT:
		arguments->limit_ns = duration_option(state, "--limit", value);
		if (arguments->limit_ns == 0)
			arguments->limit_ns = INV_FOREVER;
		return 0;
	case OPTION_BEGIN:
		arguments->begin = true;
		return 0;
	case OPTION_END:
		arguments->end = true;
		return 0;
	case ARGP_KEY_ARG:
		arguments->command = state->argv + state->next - 1;
		state->next = state->argc; /* the rest is the command's */
		return 0;
	case ARGP_KEY_END:
		check_arguments(state, arguments);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
        options, parse_option, "[--] COMMAND [ARGUMENT...]\n--begin\n--end", documentation, NULL,
        NULL,    NULL};

/* Returns the exit status if it could not be executed. */
static int execute(char **command)
{
	execvp(command[0], command);

	int error = errno;

	message("'%s' can't be run: %s", command[0], strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* Is pid the ancestor of process, or that itself? */
static bool is_ancestor(pid_t pid, pid_t process)
{
	struct process now;

	for (int i = 0; i < ANCESTORS_MAX && process > 1; i++) {
		if (process == pid)
			return true;
		if (process_read(process, &now) != 0)
			return false;
		process = now.parent;
	}
	return false;
}

/* Each shields it already, and there is room for no other. Returns the exit status. */
static int too_many(const pid_t *pids, int count, const char *then, const char *remedy)
{
	char list[INV_SHIELD_PROCESSES * 32] = "processes elsewhere", name[16];
	size_t used = 0;

	for (int i = 0; i < count && used < sizeof(list); i++) {
		process_command(pids[i], name);
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%d %s",
		                         i > 0 ? ", " : "", (int)pids[i], name);
	}
	message("at most %d processes can shield an invocation at a time, and %s do, so %s; %s",
	        INV_SHIELD_PROCESSES, list, then, remedy);
	return EXIT_INTERNAL;
}

/* There is no room for a further shield. One of an ancestor shields COMMAND too: scripts that call
 * one another may shield themselves as deep as they like. */
static int run_in_outer(const struct context *context, char **command)
{
	pid_t pids[INV_SHIELD_PROCESSES];
	int count = inv_shield_processes(context->table, context->id, pids);

	for (int i = 0; i < count; i++)
		if (is_ancestor(pids[i], getpid()))
			return execute(command);
	return too_many(pids, count, "COMMAND was not started",
	                "put one shield around all, as in 'invctl shield xargs -P8 ...'");
}

/* A broken context has no requests to hold back, and COMMAND is a clean-up: it runs, as with
 * `invctl run` there. */
static int run_unshielded(char **command)
{
	message("'%s' runs without a shield", command[0]);
	return execute(command);
}

static int run_shielded(const struct globals *globals, const struct context *context,
                        const struct arguments *arguments)
{
	int error =
	        inv_shield_begin_for(context->table, context->id, getpid(), arguments->limit_ns);

	if (error == -EAGAIN)
		return run_in_outer(context, arguments->command);
	if (error < 0) {
		context_failure(globals, context, error);
		return run_unshielded(arguments->command);
	}

	int status = execute(arguments->command);

	inv_shield_end_for(context->table, context->id, getpid());
	return status;
}

/* A process is of the action if it was executed in the invocation, or is its command, or descends
 * from that. */
static bool is_of_action(const struct context *context, const struct inv_info *info, pid_t pid)
{
	uint8_t id[16];

	return (process_context(pid, inv_table_name(context->table), id) &&
	        memcmp(id, context->id, sizeof(id)) == 0) ||
	       (info->pid > 0 && is_ancestor(info->pid, pid));
}

/* 0, or an exit status, and a message has been printed. */
static int verify_shell(const struct context *context, pid_t shell)
{
	struct inv_info info;
	char name[16];

	if (shell <= 1) {
		message("the shell that called this has ended, or is in another PID namespace, so "
		        "it can't hold a shield; use 'invctl shield COMMAND'");
		return EXIT_DENIED;
	}
	/* One that is gone is reported by what is done next. */
	if (inv_info_get(context->table, context->id, &info) < 0 || info.completed_ns != 0)
		return EXIT_DONE;
	process_command(shell, name);
	if (info.kind == INV_KIND_RUN && shell == info.owner_pid) {
		message("--begin was called by 'invctl run' itself, not by a shell of '%s'; use "
		        "'invctl shield COMMAND'",
		        info.name);
		return EXIT_DENIED;
	}
	if (!is_of_action(context, &info, shell)) {
		message("process %d (%s), which called --begin, is not of invocation '%s'; a "
		        "script that 'invctl run' started can shield it",
		        (int)shell, name, info.name);
		return EXIT_DENIED;
	}
	return EXIT_DONE;
}

/* Its shields are too deep, or other processes' too many. */
static int no_room(const struct context *context, pid_t shell)
{
	pid_t pids[INV_SHIELD_PROCESSES];
	int count = inv_shield_processes(context->table, context->id, pids);

	for (int i = 0; i < count; i++)
		if (pids[i] == shell) {
			message("process %d has begun 255 shields, so no further one began; each "
			        "--begin needs its --end",
			        (int)shell);
			return EXIT_INTERNAL;
		}
	return too_many(pids, count, "none began", "put one shield around all of them");
}

static int begin(const struct globals *globals, const struct context *context, int64_t limit_ns)
{
	pid_t shell = getppid();
	int status = verify_shell(context, shell);

	if (status != EXIT_DONE)
		return status;

	int error = inv_shield_begin_for(context->table, context->id, shell, limit_ns);

	if (error == -EAGAIN)
		return no_room(context, shell);
	if (error == -ESRCH) {
		message("the shell that called --begin, process %d, has ended meanwhile",
		        (int)shell);
		return EXIT_DENIED;
	}
	return error == 0 ? EXIT_DONE : context_failure(globals, context, error);
}

static int end(const struct globals *globals, const struct context *context)
{
	pid_t shell = getppid();
	char name[16];
	int result = inv_shield_end_for(context->table, context->id, shell);

	if (result == 1)
		message("the limit of this shield had run out: requests may have been delivered "
		        "before --end; raise --limit if that was too early");
	if (result >= 0)
		return EXIT_DONE;
	if (result != -EINVAL)
		return context_failure(globals, context, result);
	process_command(shell, name);
	message("process %d (%s) has no shield to end: the same shell must call --begin before, "
	        "directly, not in ( ), $(...; ...), a pipeline, sudo or timeout",
	        (int)shell, name);
	return EXIT_NO;
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {.limit_ns = INV_FOREVER};
	struct context context;
	uint8_t id[16];

	options_parse(&argp, argc, argv, ARGP_IN_ORDER, &arguments);

	int status = context_open(globals, NULL, SELECTOR_LIVE, &context);

	if (status != EXIT_DONE)
		return arguments.command && context_id(globals, id) != -ENXIO
		               ? run_unshielded(arguments.command)
		               : status;
	if (!context.inside)
		return arguments.command ? execute(arguments.command) : EXIT_DONE;
	if (arguments.command)
		return run_shielded(globals, &context, &arguments);
	if (arguments.begin)
		return begin(globals, &context, arguments.limit_ns);
	return end(globals, &context);
}

const struct command command_shield = {
        .name = "shield", .purpose = "inside an action: hold requests back", .run = run};

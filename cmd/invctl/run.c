/*
 * invctl run: register, run a command, supervise it, record how it ended.
 *
 * Exit status: the command's, or as `wait` says of its invocation: 122
 * cancelled, 124 deadline, 137 killed; 125 run itself failed, 126 and 127 the command
 * can't be run, is not found; 116, 117 no table, a full one; 118 --no-kill
 * contradicts --kill-after.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/message.h"
#include "invctl-exit-status.h"
#include "invctl/command.h"
#include "invctl/detach.h"
#include "invctl/registration.h"
#include "invctl/requests.h"
#include "invctl/run_options.h"
#include "invctl/signal_watch.h"
#include "invctl/supervise.h"

/* One run, from the command line to the exit status. */
struct run {
	const struct globals *globals;
	struct run_options options;
	struct registration registration;
	struct supervision supervision;
	char how_to[sizeof("invctl --table=") + INV_TABLE_NAME_BYTES];
	int report; /* of detach.h; -1: not detached */
};

static int end_not_started(struct run *run)
{
	struct inv_run_result result = {.not_started = 1};

	return inv_run_end(run->registration.invocation, &result);
}

/* By a signal to this process, too. */
static bool is_requested(struct run *run)
{
	struct inv_run_view view;

	requests_from_signals(&run->supervision, clock_monotonic_ns());
	return inv_run_view(run->registration.invocation, &view) == 0 && view.requested;
}

/* The options stand in the table as well, but that may be lost. */
static void prepare(struct run *run)
{
	const struct run_options *options = &run->options;
	struct supervision *supervision = &run->supervision;

	snprintf(run->how_to, sizeof(run->how_to),
	         run->globals->table ? "invctl --table=%s" : "invctl", run->globals->table);
	supervision->table = run->registration.table;
	supervision->invocation = run->registration.invocation;
	supervision->label = options->name;
	supervision->how_to = run->how_to;
	supervision->view = (struct inv_run_view){
	        .signal = options->signal,
	        .flags = run_options_flags(options),
	        .signal_after_ns = options->signal_after_ns,
	        .kill_after_ns = options->kill_after_ns,
	        .nested_wait_ns = options->nested_wait_ns,
	        .deadline_ns = INV_FOREVER,
	};
	kept_output_begin(&supervision->output, options->detach ? STDOUT_FILENO : -1,
	                  options->output_limit, clock_monotonic_ns());
	supervision->delivery = (struct delivery){
	        .output = -1,
	        .invocation = run->registration.invocation,
	        .scope = {.table = run->registration.table,
	                  .uid = getuid(),
	                  .supervisor = getpid()},
	        .label = options->name,
	        .stop_command = options->stop_command,
	        .finish_command = options->finish_command,
	        .finish_timeout_ns = options->finish_timeout_ns,
	        .run_path = *run->registration.run_path ? run->registration.run_path : NULL,
	        .finish = options->finish_command ? INV_FINISH_PENDING : INV_FINISH_NONE,
	};
	memcpy(supervision->delivery.scope.id, run->registration.id, sizeof(run->registration.id));
}

/* -ECANCELED: a request came before. */
static int start(struct run *run)
{
	struct launch_context context = {.command = run->options.command,
	                                 .invocation = run->registration.invocation,
	                                 .id = run->registration.id,
	                                 .table_name = inv_table_name(run->registration.table),
	                                 .report = run->report};
	struct launch *command = &run->supervision.launch;

	if (is_requested(run))
		return -ECANCELED;

	int error = launch(&context, command);

	run->supervision.delivery.scope.foreign = &command->foreign;
	if (error == 0)
		run->supervision.delivery.scope.command = command->pid;
	return error;
}

static int not_made(struct run *run, int error)
{
	/* As if the command had exited so: `wait` answers the same. */
	struct inv_run_result result = {.wait_known = 1,
	                                .wait_status = W_EXITCODE(EXIT_INTERNAL, 0)};

	if (error == -EMFILE)
		message("too few descriptors are left to supervise '%s', so it was not started; "
		        "raise 'ulimit -n'",
		        run->options.name);
	else
		message("no process can be made for '%s', so it was not started: %s",
		        run->options.name, strerror(-error));
	return inv_run_end(run->registration.invocation, &result);
}

static int shell_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? EXIT_SIGNAL_BASE + WTERMSIG(wait_status)
	                                : WEXITSTATUS(wait_status);
}

/* A shell stops its loop only if a Ctrl-C has killed this process. */
static bool dies_of_interrupt(const struct run *run, int status)
{
	return run->supervision.interrupted_at_terminal &&
	       (status == EXIT_CANCELLED || status == EXIT_DEADLINE || status == EXIT_KILLED);
}

static int finish(struct run *run)
{
	struct supervision *supervision = &run->supervision;
	struct inv_run_result result = supervision->delivery.result;

	if (result.exec_errno != 0)
		message("'%s' can't be run: %s", run->options.command[0],
		        strerror(result.exec_errno));

	int status = inv_run_end(run->registration.invocation, &result);

	kept_output_end(&supervision->output);
	if (dies_of_interrupt(run, status))
		signal_watch_die(SIGINT);
	if (run->options.preserve_status && result.exec_errno == 0)
		return shell_status(result.wait_status);
	return status;
}

/* One short line: a fan-out under a pending request prints many. id: whose request it is. */
static void say_not_started(const struct run *run, const uint8_t id[16])
{
	char id_text[INV_ID_TEXT_BYTES];

	inv_id_format(id, id_text);
	message("'%.40s' was not started: cancelled (%.8s)", run->options.name, id_text);
}

static int end_cancelled(struct run *run)
{
	say_not_started(run, run->registration.id);
	return end_not_started(run);
}

static int start_and_supervise(struct run *run)
{
	prepare(run);

	int error = start(run);

	if (error < 0) {
		int status = error == -ECANCELED ? end_cancelled(run) : not_made(run, error);

		detach_fail(run->report, status, error == -ECANCELED ? 0 : -error);
		return status;
	}
	if (run->report >= 0)
		close(run->report);
	supervise(&run->supervision);
	return finish(run);
}

static int run_registered(struct run *run)
{
	if (run->registration.refused) {
		say_not_started(run, run->registration.parent);
		int status = end_not_started(run);

		detach_fail(run->report, status, 0);
		return status;
	}
	detach_settle(run->report, run->registration.table, run->registration.id);
	/* After registering, so that a broker that it started does not become ours. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

	int status = start_and_supervise(run);

	/* A broker of another PID namespace would not see this process end. */
	inv_close(run->registration.table);
	return status;
}

static int run_command(int argc, char **argv, const struct globals *globals)
{
	struct run run = {.globals = globals, .report = -1};
	int status = run_options_parse(argc, argv, &run.options);

	if (status != EXIT_DONE)
		return status;
	if (run.options.detach) {
		status = detach_part(run.options.command[0], &run.report);
		if (status >= 0)
			return status;
	}
	signal_watch_begin();
	run.registration.report = run.report;
	status = registration_make(globals, &run.options, &run.registration);
	if (status == EXIT_DONE)
		return run_registered(&run);
	detach_fail(run.report, status, 0);
	return status;
}

const struct command command_run = {
        .name = "run",
        .purpose = "run a command that can be requested to stop",
        .run = run_command,
};

/* What `invctl run` does before its command may start: see registration.h. */
#include "invctl/registration.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/hold_text.h"
#include "common/message.h"
#include "common/runfile.h"
#include "invctl-exit-status.h"
#include "invctl/await.h"
#include "invctl/context.h"
#include "invctl/id_file.h"
#include "invctl/wait_hold.h"
#include "os/process.h"
#include "os/state_directory.h"

/* The context to be nested in; false: none. A broken one is reported, and the run goes on
 * without a parent. */
static bool find_parent(const struct globals *globals, const struct run_options *options,
                        inv_table *table, uint8_t parent[16])
{
	const char *set = secure_getenv("INVCTL_ID");
	int error = options->no_parent ? -ENXIO : context_id(globals, parent);

	if (error == -ENXIO)
		return false;
	if (error < 0) {
		message("INVCTL_ID '%s' is no UUID, so '%s' has no parent; unset it, or give "
		        "--no-parent",
		        set ? set : "", options->name);
		return false;
	}
	error = inv_run_refused(table, parent);
	if (error >= 0)
		return true;
	message("INVCTL_ID %s %s in table '%s', so '%s' has no parent; unset it, or give "
	        "--no-parent",
	        set ? set : "", error == -ESTALE ? "has ended" : "names no invocation",
	        attach_name(globals), options->name);
	return false;
}

/* A hold stands, or did a moment ago. */
static int held(const struct globals *globals, inv_table *table)
{
	struct inv_request hold;
	char text[HOLD_TEXT_BYTES] = "released just now, try again";

	if (inv_hold_get(table, &hold) > 0)
		hold_describe(&hold, text);
	message("table '%s' is on hold, so nothing new starts: %s; 'invctl release' releases it, "
	        "'run --wait-hold' waits for that",
	        attach_name(globals), text);
	return EXIT_DENIED;
}

static int register_failure(const struct globals *globals, const struct run_options *options,
                            inv_table *table, int error)
{
	char id[INV_ID_TEXT_BYTES];
	struct inv_info info;

	switch (error) {
	case -EEXIST:
		inv_id_format(options->id, id);
		message("the id %s is taken by an invocation that %s; give another --id, or none",
		        id,
		        inv_info_get(table, options->id, &info) == 0 && info.completed_ns != 0
		                ? "has ended and is still in the table"
		                : "is live");
		return EXIT_INTERNAL;
	case -ENOSPC:
		message("table '%s' is full; end some of what 'invctl list' shows, or when all "
		        "have "
		        "ended make a larger one with 'invbroker --capacity=N'",
		        attach_name(globals));
		return EXIT_TABLE_FULL;
	case -EPERM:
		return held(globals, table);
	default:
		return attach_failure(globals, error);
	}
}

/* The table has lost its name since it was opened: open the new one. */
static int open_anew(const struct globals *globals, struct registration *registration)
{
	inv_table *table;
	int error = attach_table(globals, INV_OPEN_AUTOSTART, &table);

	if (error < 0)
		return error;
	inv_close(registration->table);
	registration->table = table;
	return 0;
}

/* Registers, with --wait-hold once no hold stands. As inv_run_register, or an exit status. The
 * deadline is that of the start of this command. */
static int register_in_time(const struct globals *globals, const struct run_options *options,
                            struct inv_run_options *run, struct registration *registration)
{
	struct hold_wait wait = {.until_ns = await_until(options->timeout_ns),
	                         .report_fd = registration->report};

	for (;;) {
		int error = inv_run_register(registration->table, run, &registration->invocation);

		if (error == -EPERM && options->wait_hold)
			error = wait_hold(globals, registration->table, options->name, &wait);
		else if (error != -ESTALE)
			return error;
		if (error == -ESTALE)
			error = open_anew(globals, registration);
		if (error != 0)
			return error;
		if (wait.until_ns != INV_FOREVER)
			run->deadline_ns = wait.until_ns - clock_monotonic_ns();
		if (wait.until_ns != INV_FOREVER && run->deadline_ns < 0)
			run->deadline_ns = 0;
	}
}

static int register_run(const struct globals *globals, const struct run_options *options,
                        const uint8_t *parent, struct registration *registration)
{
	struct inv_run_options run = {
	        .id = options->id_given ? options->id : NULL,
	        .parent = parent,
	        .name = options->name,
	        .deadline_ns = options->timeout_ns,
	        .signal_after_ns = options->signal_after_ns,
	        .kill_after_ns = options->kill_after_ns,
	        .nested_wait_ns = options->nested_wait_ns,
	        .signal = options->signal,
	        .flags = run_options_flags(options),
	};
	int error = register_in_time(globals, options, &run, registration);

	if (error > 0)
		return error;
	if (error < 0)
		return register_failure(globals, options, registration->table, error);
	inv_invocation_id(registration->invocation, registration->id);
	if (parent)
		memcpy(registration->parent, parent, sizeof(registration->parent));
	/* Checked again: a request made since then may have missed this invocation. */
	registration->refused = parent && inv_run_refused(registration->table, parent) == 1;
	return EXIT_DONE;
}

/* Without it the action runs all the same; only list, and a broker after our death, need it. */
static void write_run_file(const struct run_options *options, struct registration *registration)
{
	char *path = registration->run_path, *cwd = getcwd(NULL, 0);
	struct runfile run = {.name = (char *)options->name,
	                      .cwd = cwd,
	                      .stop_command = (char *)options->stop_command,
	                      .finish_command = (char *)options->finish_command,
	                      .finish_timeout_ns = options->finish_timeout_ns,
	                      .environment = options->finish_command ? environ : NULL,
	                      .supervisor = getpid(),
	                      .supervisor_start = process_start(getpid()),
	                      .output_limit = options->detach ? options->output_limit : 0,
	                      .command = options->command};
	int error = inv_state_path(registration->table, registration->id, "run", path,
	                           sizeof(registration->run_path));

	/* An earlier invocation of the same id may have left its file. */
	if (error == 0 && (error = runfile_write(path, &run)) == -EEXIST && unlink(path) == 0)
		error = runfile_write(path, &run);
	if (error < 0)
		message("what '%s' runs can't be stored (%s): list does not show it%s; set "
		        "INVCTL_STATE_DIR to the absolute path of a directory that you can write "
		        "to",
		        options->name, strerror(-error),
		        options->finish_command ? ", and without this process nothing runs --finish"
		        : options->stop_command ? ", and without this process nothing runs --stop"
		                                : "");
	if (error < 0)
		*path = '\0';
	free(cwd);
}

/* In a shared table a broker takes over the runs of its own user only. */
static void warn_without_takeover(const struct run_options *options, inv_table *table)
{
	const char *option = options->finish_command ? "--finish" : "--kill-after";
	struct process_status broker;
	struct inv_table_info info;

	if ((!options->finish_command && options->kill_after_ns < 0) ||
	    inv_table_info_get(table, &info) != 0 || !info.shared || !info.serving ||
	    process_read_status(info.broker_pid, &broker) != 0 || broker.uid == geteuid())
		return;
	message("the broker of table '%s' takes over the runs of user %u only: if this process "
	        "(%d) is killed, nothing carries out %s of '%s'",
	        info.name, broker.uid, (int)getpid(), option, options->name);
}

/* What an earlier invocation of that id has logged and written is not this one's. */
static void forget_former_files(const struct registration *registration)
{
	static const char *const suffixes[] = {"log", "log.1", "out"};
	char name[STATE_NAME_BYTES];
	int directory = state_directory_open(inv_table_name(registration->table));

	for (size_t i = 0; directory >= 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		state_file_name(registration->id, suffixes[i], name);
		unlinkat(directory, name, 0);
	}
	if (directory >= 0)
		close(directory);
}

static int publish_id(struct id_file *file, struct registration *registration)
{
	int error = id_file_publish(file, registration->id);
	/* As if a command had exited so: `wait` answers the same. */
	struct inv_run_result result = {.wait_known = 1,
	                                .wait_status = W_EXITCODE(EXIT_INTERNAL, 0)};

	if (error == 0)
		return EXIT_DONE;
	message("the id can't be written to '%s': %s; nothing was started", file->path,
	        strerror(-error));
	return inv_run_end(registration->invocation, &result);
}

static int register_with(const struct globals *globals, const struct run_options *options,
                         struct id_file *file, struct registration *registration)
{
	uint8_t parent[16];
	bool nested = find_parent(globals, options, registration->table, parent);
	int status = register_run(globals, options, nested ? parent : NULL, registration);

	if (status != EXIT_DONE)
		return status;
	if (options->id_given)
		forget_former_files(registration);
	write_run_file(options, registration);
	warn_without_takeover(options, registration->table);
	return publish_id(file, registration);
}

int registration_make(const struct globals *globals, const struct run_options *options,
                      struct registration *registration)
{
	struct id_file file;
	int error = attach_table(globals, INV_OPEN_AUTOSTART, &registration->table);

	if (error < 0)
		return attach_failure(globals, error);
	error = id_file_open(&file, options->id_file);
	if (error == -EEXIST) {
		message("'%s' is no regular file, so the id is not written there: give another "
		        "--id-file; nothing was started",
		        options->id_file);
		return EXIT_INTERNAL;
	}
	if (error < 0) {
		message("no file can be made beside '%s': %s; nothing was started",
		        options->id_file, strerror(-error));
		return EXIT_INTERNAL;
	}

	int status = register_with(globals, options, &file, registration);

	id_file_drop(&file);
	return status;
}

/* Starting the command: see launch.h. */
#include "invctl/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "invctl-exit-status.h"
#include "invctl/detach.h"
#include "invctl/signal_watch.h"
#include "supervise/processes.h"

/* What the supervisor opens at a time: three to find and signal what it has started, and
 * the terminal. */
enum { DESCRIPTORS_LATER = 4 };

/* A supervisor that can open nothing could not stop its action, so none is started. */
static int try_descriptors(void)
{
	int tried[DESCRIPTORS_LATER], count = 0, error = 0;

	while (count < DESCRIPTORS_LATER && !error) {
		tried[count] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
		if (tried[count] < 0)
			error = -errno;
		else
			count++;
	}
	while (count > 0)
		close(tried[--count]);
	return error;
}

static int set_context(const struct launch_context *context)
{
	char text[INV_ID_TEXT_BYTES];

	inv_id_format(context->id, text);
	if (setenv("INVCTL_ID", text, 1) != 0 ||
	    setenv("INVCTL_TABLE", context->table_name, 1) != 0)
		return -errno;
	return 0;
}

/* In the new process. */
static _Noreturn void execute(const struct launch_context *context, int supervisor)
{
	int error, status;
	char go;

	if (recv(supervisor, &go, sizeof(go), 0) != sizeof(go))
		_exit(EXIT_INTERNAL);
	detach_executing(context->report, context->id);
	signal_watch_restore();
	execvp(context->command[0], context->command);
	error = errno;
	status = error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	send(supervisor, &error, sizeof(error), MSG_NOSIGNAL);
	detach_fail(context->report, status, error);
	_exit(status);
}

/* ends: the supervisor's, the new process's. */
static int start(const struct launch_context *context, const int ends[2], struct launch *launch)
{
	processes_note_foreign(&launch->foreign);

	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(ends[0]);
		execute(context, ends[1]);
	}
	setpgid(pid, pid);
	inv_run_started(context->invocation, pid);
	/* A process that was killed meanwhile takes no word. */
	send(ends[0], "", 1, MSG_NOSIGNAL);
	launch->pid = pid;
	launch->result = ends[0];
	return 0;
}

int launch(const struct launch_context *context, struct launch *launch)
{
	int ends[2], error = set_context(context);

	if (error)
		return error;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	error = try_descriptors();
	if (!error) {
		/* No handler of ours may run in the new process. */
		signal_watch_block();
		error = start(context, ends, launch);
		signal_watch_unblock();
	}
	close(ends[1]);
	if (error)
		close(ends[0]);
	return error;
}

void launch_ended(struct launch *launch)
{
	int error;

	if (recv(launch->result, &error, sizeof(error), MSG_DONTWAIT) == sizeof(error))
		launch->exec_errno = error;
	close(launch->result);
}

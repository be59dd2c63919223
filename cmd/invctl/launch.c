/* Starting the command: see launch.h. */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit_status.h"
#include "invctl.h"
#include "signal_watch.h"

enum {
	/* What the supervisor opens at a time: three to find and signal what it has
	 * started, and the terminal. It closes its copy of the child's end. */
	DESCRIPTORS_LATER = 4 - 1,
	/* With so many numbers left to the limit nobody need try. */
	DESCRIPTORS_PLENTY = 64,
};

/* An action whose supervisor can open nothing could be seen by nobody, and not be stopped:
 * it is not started. */
static int try_descriptors(int highest)
{
	struct rlimit limit;
	int tried[DESCRIPTORS_LATER], count = 0, error = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur > (rlim_t)highest + DESCRIPTORS_PLENTY)
		return 0;
	for (; count < DESCRIPTORS_LATER; count++) {
		tried[count] = fcntl(highest, F_DUPFD_CLOEXEC, 0);
		if (tried[count] < 0)
			break;
	}
	if (count < DESCRIPTORS_LATER)
		error = -errno;
	while (count > 0)
		close(tried[--count]);
	return error;
}

static int set_context(const struct launch_context *context)
{
	char text[37];

	inv_id_format(context->id, text);
	if (setenv("INVCTL_ID", text, 1) != 0)
		return -1;
	return setenv("INVCTL_TABLE", context->table_name, 1);
}

/* In the new process. The gate closes itself on exec, which tells that it has worked. */
static _Noreturn void wait_and_execute(const struct launch_context *context, int gate)
{
	char opened;

	setpgid(0, 0);
	if (read(gate, &opened, 1) != 1)
		_exit(EXIT_INTERNAL);
	if (set_context(context) == 0) {
		signal_watch_restore();
		execvp(context->command[0], context->command);
	}

	int error = errno;
	ssize_t written = write(gate, &error, sizeof(error));

	(void)written; /* the supervisor is dead: nobody to tell */
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

int launch_prepare(const struct launch_context *context, struct launch *launch)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;

	int error = try_descriptors(ends[1]);

	if (error < 0) {
		close(ends[0]);
		close(ends[1]);
		return error;
	}
	signal_watch_block();

	/* Without what the library does at a fork: the child executes, or ends. */
	pid_t pid = _Fork();

	error = -errno;

	if (pid == 0) {
		close(ends[0]);
		wait_and_execute(context, ends[1]);
	}
	signal_watch_unblock();
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error;
	}
	/* Here and there, because either may run first. */
	setpgid(pid, pid);
	*launch = (struct launch){.pid = pid, .gate = ends[0]};
	return 0;
}

void launch_go(struct launch *launch)
{
	/* A process that was killed at the gate is seen by its end. */
	ssize_t sent = send(launch->gate, "", 1, MSG_NOSIGNAL);

	(void)sent;
}

void launch_abandon(struct launch *launch)
{
	close(launch->gate);
	while (waitpid(launch->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

int launch_error(struct launch *launch)
{
	int error = 0;
	ssize_t length = recv(launch->gate, &error, sizeof(error), MSG_DONTWAIT);

	close(launch->gate);
	return length == (ssize_t)sizeof(error) ? error : 0;
}

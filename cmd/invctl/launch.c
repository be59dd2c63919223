/* Starting the command: see launch.h. */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exit_status.h"
#include "signal_watch.h"

enum {
	/* What the supervisor opens at a time: three to find and signal what it has
	 * started, and the terminal. */
	DESCRIPTORS_LATER = 4,
	/* With so many numbers left to the limit nobody need try. */
	DESCRIPTORS_PLENTY = 64,
};

/* An action whose supervisor can open nothing could be seen by nobody, and not be stopped:
 * it is not started. */
static int try_descriptors(void)
{
	struct rlimit limit;
	int tried[DESCRIPTORS_LATER], count = 0, error = 0;

	while (count < DESCRIPTORS_LATER) {
		tried[count] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
		if (tried[count] < 0) {
			error = -errno;
			break;
		}
		count++;
		if (count == 1 && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		    limit.rlim_cur > (rlim_t)tried[0] + DESCRIPTORS_PLENTY)
			break;
	}
	while (count > 0)
		close(tried[--count]);
	return error;
}

static int set_context(const struct launch_context *context)
{
	char text[37];

	inv_id_format(context->id, text);
	if (setenv("INVCTL_ID", text, 1) != 0 ||
	    setenv("INVCTL_TABLE", context->table_name, 1) != 0)
		return -errno;
	return 0;
}

/* In the new process, and in the supervisor's memory: no lock is taken here, and nothing
 * but the table and exec_errno is changed. */
static _Noreturn void execute(const struct launch_context *context, pid_t supervisor,
                              struct launch *launch)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != supervisor)
		_exit(EXIT_INTERNAL);
	inv_run_started(context->invocation, getpid());
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	signal_watch_restore();
	execvp(context->command[0], context->command);
	launch->exec_errno = errno;
	_exit(launch->exec_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

int launch(const struct launch_context *context, struct launch *launch)
{
	pid_t supervisor = getpid();
	int error = try_descriptors();

	if (error == 0)
		error = set_context(context);
	if (error < 0)
		return error;
	launch->exec_errno = 0;
	signal_watch_block();

	pid_t pid = vfork();

	if (pid == 0)
		execute(context, supervisor, launch);
	error = -errno;
	signal_watch_unblock();
	if (pid < 0)
		return error;
	launch->pid = pid;
	return 0;
}

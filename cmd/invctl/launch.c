/* Starting the command: see launch.h. */
#include "invctl/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/exit_status.h"
#include "invctl/signal_watch.h"

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

/* What the thread works on: it may outlast the call that has started it. */
static struct launching {
	struct launch_context context;
	struct launch *launch;
	pid_t supervisor;
	int error;
	sem_t settled; /* the process is recorded, or gone, or can't be made */
} launching;

/* In the new process, and in the supervisor's memory: no lock is taken here, and nothing
 * but the table and what is told of the launch is changed. */
static _Noreturn void execute(struct launch *launch, const struct launch_context *context)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != launching.supervisor)
		_exit(EXIT_INTERNAL);
	inv_run_started(context->invocation, getpid());
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	launch->pid = getpid();
	sem_post(&launching.settled);
	signal_watch_restore();
	execvp(context->command[0], context->command);
	launch->exec_errno = errno;
	_exit(launch->exec_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* The thread, and the process while it has not executed the command. */
static void *make_process(void *unused)
{
	pid_t pid = vfork();

	(void)unused;
	/* Linux promises more than POSIX: the memory is shared, and this thread alone waits. */
	if (pid == 0)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Vfork) */
		execute(launching.launch, &launching.context);
	if (pid < 0)
		launching.error = -errno;
	else if (launching.launch->pid == 0)
		launching.launch->pid = pid; /* it was killed before it could tell */
	sem_post(&launching.settled);
	return NULL;
}

/* execvp(3) copies the arguments of what has no #! line for a shell. */
static size_t stack_for(char **command)
{
	enum { STACK_BYTES = 64 * 1024 };
	size_t count = 0;

	while (command[count])
		count++;
	return (size_t)PTHREAD_STACK_MIN + STACK_BYTES + count * sizeof(command[0]);
}

static bool start_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, stack_for(launching.context.command));

	bool started = pthread_create(&thread, &attributes, make_process, NULL) == 0;

	pthread_attr_destroy(&attributes);
	return started;
}

int launch(const struct launch_context *context, struct launch *launch)
{
	int error = try_descriptors();

	if (error == 0)
		error = set_context(context);
	if (error < 0)
		return error;
	*launch = (struct launch){0};
	launching.context = *context;
	launching.launch = launch;
	launching.supervisor = getpid();
	sem_init(&launching.settled, 0, 0);
	/* So that signals come to the supervisor alone. */
	signal_watch_block();
	/* Where there is no memory for a thread, the supervisor waits for the exec itself. */
	if (!start_thread())
		make_process(NULL);
	while (sem_wait(&launching.settled) != 0)
		continue;
	signal_watch_unblock();
	return launching.error;
}

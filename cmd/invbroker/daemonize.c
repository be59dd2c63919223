/*
 * Leaving the caller. The parent stays until the child has the table or says why not, so that
 * the table has a broker when `invbroker` returns.
 */
#include "invbroker/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "invctl-exit-status.h"

enum { READY_FD = 3 };

static void close_from(unsigned first)
{
	/* Kernels before 5.9 lack it. */
	if (syscall(SYS_close_range, first, ~0u, 0) == 0)
		return;
	for (int fd = (int)first; fd < (int)sysconf(_SC_OPEN_MAX); fd++)
		close(fd);
}

static _Noreturn void give_up(int parent_fd, int error)
{
	struct readiness readiness = {.error = error};

	readiness_fail(&readiness, EXIT_INTERNAL, "the broker can't leave its caller: %s",
	               strerror(error));
	daemonize_ready(parent_fd, &readiness);
	exit(EXIT_INTERNAL);
}

static void leave_caller(int ready)
{
	setsid();
	int null = open("/dev/null", O_RDWR | O_NOCTTY);
	/* Above 0 to 3 first: pipe(2) and open(2) may have returned any of them. */
	int high_ready = fcntl(ready, F_DUPFD, READY_FD + 1);
	int high_null = null < 0 ? -1 : fcntl(null, F_DUPFD, READY_FD + 1);
	/* The directory may be on a disk that is to be unmounted. */
	if (high_ready < 0 || high_null < 0 || chdir("/") != 0)
		give_up(ready, errno);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(high_null, fd);
	dup3(high_ready, READY_FD, O_CLOEXEC);
	close_from(READY_FD + 1);
}

static void await_child(int fd, struct readiness *readiness)
{
	size_t got = 0;
	ssize_t length;

	do {
		length = read(fd, (char *)readiness + got, sizeof(*readiness) - got);
		if (length > 0)
			got += (size_t)length;
	} while (got < sizeof(*readiness) && (length > 0 || (length < 0 && errno == EINTR)));
	if (got < sizeof(*readiness))
		readiness_fail(readiness, EXIT_INTERNAL,
		               "the broker ended before it had the table; 'invbroker "
		               "--foreground' shows why");
}

int daemonize(struct readiness *readiness)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return readiness_fail(readiness, EXIT_INTERNAL, "the broker gets no pipe: %s",
		                      strerror(errno));
	pid_t child = fork();
	if (child < 0)
		return readiness_fail(readiness, EXIT_INTERNAL,
		                      "the broker could not become a process of its own: %s",
		                      strerror(errno));
	if (child == 0) {
		leave_caller(ends[1]);
		return READY_FD;
	}
	close(ends[1]);
	await_child(ends[0], readiness);
	close(ends[0]);
	return -1;
}

void daemonize_ready(int fd, const struct readiness *readiness)
{
	/* Less than PIPE_BUF: written whole. */
	ssize_t written = write(fd, readiness, sizeof(*readiness));

	(void)written; /* the parent may have been killed */
	close(fd);
}

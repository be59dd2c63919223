/*
 * Writing without SIGXFSZ, which kills a program that does not expect it. The kernel sends it to
 * the thread that writes. It is blocked there meanwhile, and taken back if this write sent it.
 */
#include "os/file_write.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

ssize_t file_write(int fd, const void *bytes, size_t size)
{
	const struct timespec at_once = {0};
	sigset_t limit, before, pending;
	struct rlimit size_limit;

	if (getrlimit(RLIMIT_FSIZE, &size_limit) == 0 && size_limit.rlim_cur == RLIM_INFINITY)
		return write(fd, bytes, size);
	sigemptyset(&limit);
	sigaddset(&limit, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &limit, &before);
	bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
	ssize_t written = write(fd, bytes, size);
	int error = errno;

	if (written < 0 && error == EFBIG && !was_pending)
		while (sigtimedwait(&limit, NULL, &at_once) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return written;
}

/* stdin, stdout and stderr that the caller may have closed, or that may be full. */
#include "common/standard_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"
#include "invctl-exit-status.h"

void standard_files_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* Opened the wrong way round, it takes the number and still fails when used. The
		 * lowest free number is this one. */
		int direction = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (open("/dev/null", direction | O_CLOEXEC) != fd)
			_exit(EXIT_INTERNAL);
	}
}

static void check_stdout(void)
{
	int failed = ferror(stdout);

	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return;
	message("stdout could not be written: %s; what it got is not complete",
	        errno ? strerror(errno) : "an earlier write failed");
	_exit(EXIT_INTERNAL);
}

void standard_files_check_at_exit(void)
{
	atexit(check_stdout);
}

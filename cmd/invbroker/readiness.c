/*
 * How it went, for whoever started the broker: a line on the descriptor that
 * was given for it, else, where it failed, a sentence on stderr.
 */
#include "invbroker/readiness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/exit_status.h"
#include "common/message.h"

int readiness_fail(struct readiness *readiness, int status, const char *format, ...)
{
	va_list args;

	readiness->status = status;
	va_start(args, format);
	vsnprintf(readiness->sentence, sizeof(readiness->sentence), format, args);
	va_end(args);
	return -1;
}

void readiness_tell(const struct readiness *readiness, int ready_fd)
{
	char line[sizeof(readiness->sentence) + 32];

	if (ready_fd < 0) {
		if (readiness->status != EXIT_DONE)
			message("%s", readiness->sentence);
		return;
	}
	if (readiness->status != EXIT_DONE && readiness->error != 0)
		snprintf(line, sizeof(line), "errno %d: %s\n", readiness->error,
		         readiness->sentence);
	else if (readiness->status != EXIT_DONE)
		snprintf(line, sizeof(line), "%s\n", readiness->sentence);
	else
		snprintf(line, sizeof(line), "ok%s%s\n", *readiness->sentence ? " " : "",
		         readiness->sentence);
	/* Whoever no longer reads does not want to know. */
	ssize_t written = write(ready_fd, line, strlen(line));
	(void)written;
	close(ready_fd);
}

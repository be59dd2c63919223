/* How the broker stands: see readiness.h. */
#include "invbroker/readiness.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/message.h"
#include "invctl-exit-status.h"

int readiness_fail(struct readiness *readiness, int status, const char *format, ...)
{
	va_list args;

	readiness->status = status;
	va_start(args, format);
	vsnprintf(readiness->sentence, sizeof(readiness->sentence), format, args);
	va_end(args);
	return -1;
}

void readiness_report(const struct readiness *readiness, int ready_fd)
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
	/* The reader may have gone: it needs no answer then. */
	ssize_t written = write(ready_fd, line, strlen(line));
	(void)written;
	close(ready_fd);
}

/* The path in NOTIFY_SOCKET; a leading '@' stands for the NUL of an abstract name. */
void readiness_notify_manager(const char *state)
{
	const char *path = secure_getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (*path == '@')
		address.sun_path[0] = '\0';
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Never wait for the manager: where its queue is full, only a status line is lost. */
	sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
	       length);
	close(fd);
}

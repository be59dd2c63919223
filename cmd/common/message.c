/* What a program says to its user on stderr. */
#include "common/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/escape.h"
#include "os/file_write.h"

const char *message_program = "invctl";

static void write_whole(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = file_write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* there is no place to report it */
		text += written;
		length -= (size_t)written;
	}
}

static void write_sentence(int fd, const char *format, va_list args)
{
	char sentence[2048], line[4096];

	vsnprintf(sentence, sizeof(sentence), format, args);

	size_t length = (size_t)snprintf(line, 64, "%.60s: ", message_program);

	length += escape_text(sentence, line + length, sizeof(line) - length - 1);
	line[length++] = '\n';
	write_whole(fd, line, length);
}

void message(const char *format, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, format);
	write_sentence(STDERR_FILENO, format, args);
	va_end(args);
	errno = saved;
}

void message_at_terminal(const char *format, ...)
{
	int saved = errno;
	int fd = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	va_list args;

	va_start(args, format);
	write_sentence(fd >= 0 ? fd : STDERR_FILENO, format, args);
	va_end(args);
	if (fd >= 0)
		close(fd);
	errno = saved;
}

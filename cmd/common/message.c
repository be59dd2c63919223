/* What a program says to its user on stderr. */
#include "common/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/escape.h"
#include "os/file_write.h"

const char *message_program = "invctl";

static void write_whole(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = file_write(STDERR_FILENO, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* there is no place to report it */
		text += written;
		length -= (size_t)written;
	}
}

void message(const char *format, ...)
{
	char sentence[2048], line[4096];
	int saved = errno;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);

	size_t length = (size_t)snprintf(line, 64, "%.60s: ", message_program);

	length += escape_text(sentence, line + length, sizeof(line) - length - 1);
	line[length++] = '\n';
	write_whole(line, length);
	errno = saved;
}

/*
 * The broker's log: to stderr, to the journal, or to a file of bounded size.
 *
 * The text of a line comes partly from the table, which others may write: it is escaped. A line
 * that can't be written is lost, and the broker goes on.
 */
#include "invbroker/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/escape.h"

/* A log longer than this is set aside as broker.log.1, and a new one begun. */
enum { LOG_BYTES_MAX = 1024 * 1024, SENTENCE_BYTES = 1024, LINE_BYTES = 2048 };

static bool timed = true;
static char log_path[4096]; /* empty: stderr is not the log file */

/* systemd passes the device and inode of the journal's stream. */
static bool stderr_is_journal(void)
{
	const char *stream = secure_getenv("JOURNAL_STREAM");
	char own[64];
	struct stat status;

	if (!stream || fstat(STDERR_FILENO, &status) != 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(own, stream) == 0;
}

static int open_file(const char *path)
{
	/* O_NOFOLLOW and O_NONBLOCK: any kind of file may lie under that name. */
	int fd =
	        open(path,
	             O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
	             0600);

	if (fd < 0)
		return -errno;
	if (dup2(fd, STDERR_FILENO) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	if (fd != STDERR_FILENO)
		close(fd);
	return 0;
}

int report_directory(inv_table *table, char *path, size_t size)
{
	static const uint8_t any_id[16];
	int error = inv_state_path(table, any_id, "log", path, size);

	if (error)
		return error;
	char *slash = strrchr(path, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

void report_open(inv_table *table, bool in_state_directory)
{
	static const char name[] = "/broker.log";
	char path[sizeof(log_path)];

	/* The journal has a time of its own for each line. */
	timed = !stderr_is_journal();
	if (!in_state_directory || report_directory(table, path, sizeof(path) - sizeof(name)) != 0)
		return;
	strcat(path, name);
	if (open_file(path) != 0)
		return;
	memcpy(log_path, path, sizeof(log_path));
	timed = true;
}

static void set_long_log_aside(void)
{
	char aside[sizeof(log_path) + 2];
	struct stat status;

	if (!*log_path || fstat(STDERR_FILENO, &status) != 0 || status.st_size < LOG_BYTES_MAX)
		return;
	snprintf(aside, sizeof(aside), "%s.1", log_path);
	if (rename(log_path, aside) == 0)
		open_file(log_path);
}

static size_t put_time(char *line, size_t size)
{
	time_t now = time(NULL);
	struct tm parts;

	if (!timed || !localtime_r(&now, &parts))
		return 0;
	return strftime(line, size, "%Y-%m-%dT%H:%M:%S%z ", &parts);
}

void report(const char *format, ...)
{
	int saved = errno;
	char sentence[SENTENCE_BYTES], line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	set_long_log_aside();
	size_t used = put_time(line, sizeof(line));
	used += (size_t)snprintf(line + used, sizeof(line) - used, "invbroker: ");
	/* Names and reasons must not forge a second line or control a terminal. */
	used += escape_text(sentence, line + used, sizeof(line) - used - 1);
	line[used++] = '\n';
	ssize_t written = write(STDERR_FILENO, line, used);
	(void)written;
	errno = saved;
}

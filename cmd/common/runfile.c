/* The run file: reader and writer. */
#include "common/runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FORMAT_LINE "invctl run 1"

enum {
	FIXED_STRINGS = 4,            /* format, cwd, stop command, finish command */
	SIZE_LIMIT = 32 * 1024 * 1024 /* more than any command line the kernel takes by default */
};

/* Append text, or an empty string for NULL, with its NUL. Where buffer is NULL only counts. */
static void append(char *buffer, size_t *used, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (buffer) {
		if (length > 0)
			memcpy(buffer + *used, text, length);
		buffer[*used + length] = '\0';
	}
	*used += length + 1;
}

static size_t encode(char *buffer, const struct runfile *run)
{
	size_t used = 0;

	append(buffer, &used, FORMAT_LINE);
	append(buffer, &used, run->cwd);
	append(buffer, &used, run->stop_command);
	append(buffer, &used, run->finish_command);
	for (char **word = run->command; word && *word; word++)
		append(buffer, &used, *word);
	return used;
}

/* One write: a reader that comes while it is under way must not see half a command. */
static int write_once(const char *path, const char *buffer, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;

	ssize_t written = write(fd, buffer, size);
	int result = written < 0 ? -errno : (size_t)written == size ? 0 : -ENOSPC;

	if (close(fd) < 0 && result == 0)
		result = -errno;
	if (result < 0)
		unlink(path);
	return result;
}

int runfile_write(const char *path, const struct runfile *run)
{
	size_t size = encode(NULL, run);

	if (size > SIZE_LIMIT)
		return -EFBIG;

	char *buffer = malloc(size);

	if (!buffer)
		return -ENOMEM;
	encode(buffer, run);

	int result = write_once(path, buffer, size);

	free(buffer);
	return result;
}

/* Open a file that is believed: the caller's own, regular, of bounded size. */
static int open_own(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int result;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &status) < 0)
		result = -errno;
	else if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
	         (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		result = -EPERM;
	else if (status.st_size > SIZE_LIMIT)
		result = -EFBIG;
	else
		result = 0;
	if (result < 0) {
		close(fd);
		return result;
	}
	*size = (size_t)status.st_size;
	return fd;
}

/* The whole file, with a NUL behind it. */
static int read_whole(const char *path, char **out, size_t *size)
{
	int fd = open_own(path, size);

	if (fd < 0)
		return fd;

	char *buffer = malloc(*size + 1);
	ssize_t got = buffer ? read(fd, buffer, *size) : -1;
	int result = !buffer ? -ENOMEM : got < 0 ? -errno : (size_t)got != *size ? -EBADMSG : 0;

	close(fd);
	if (result < 0) {
		free(buffer);
		return result;
	}
	buffer[*size] = '\0';
	*out = buffer;
	return 0;
}

static size_t count_strings(const char *buffer, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += buffer[i] == '\0';
	return count;
}

static char *or_none(char *text)
{
	return *text ? text : NULL;
}

/* Point run into buffer, which runfile_free finds again as the first of the strings. */
static int decode(char *buffer, size_t size, struct runfile *run)
{
	size_t count = count_strings(buffer, size);

	if (count < FIXED_STRINGS || buffer[size - 1] != '\0' || strcmp(buffer, FORMAT_LINE) != 0)
		return -EBADMSG;

	char **strings = calloc(count + 1, sizeof(*strings));

	if (!strings)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		strings[i] = buffer;
		buffer += strlen(buffer) + 1;
	}
	run->cwd = or_none(strings[1]);
	run->stop_command = or_none(strings[2]);
	run->finish_command = or_none(strings[3]);
	run->command = strings + FIXED_STRINGS;
	return 0;
}

int runfile_read(const char *path, struct runfile *run)
{
	char *buffer = NULL;
	size_t size = 0;
	int result = read_whole(path, &buffer, &size);

	memset(run, 0, sizeof(*run));
	if (result < 0)
		return result;
	result = decode(buffer, size, run);
	if (result < 0)
		free(buffer);
	return result;
}

void runfile_free(struct runfile *run)
{
	if (run->command) {
		char **strings = run->command - FIXED_STRINGS;

		free(strings[0]);
		free(strings);
	}
	memset(run, 0, sizeof(*run));
}

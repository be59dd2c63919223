/* The run file: reader and writer. */
#include "common/runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/file_write.h"

#define FORMAT_LINE "invctl run 2"

enum { SIZE_LIMIT = 32 * 1024 * 1024 /* more than any command line the kernel takes by default */ };

/* Append text with its NUL. Where buffer is NULL it only counts. */
static void append(char *buffer, size_t *used, const char *text)
{
	size_t size = strlen(text) + 1;

	if (buffer)
		memcpy(buffer + *used, text, size);
	*used += size;
}

/* "KEY=VALUE"; nothing for NULL. */
static void append_value(char *buffer, size_t *used, const char *key, const char *value)
{
	if (!value)
		return;
	append(buffer, used, key);
	(*used)--;
	append(buffer, used, value);
}

static size_t encode(char *buffer, const struct runfile *run)
{
	char supervisor[64], number[48];
	size_t used = 0;

	append(buffer, &used, FORMAT_LINE);
	append_value(buffer, &used, "name=", run->name);
	append_value(buffer, &used, "cwd=", run->cwd);
	append_value(buffer, &used, "stop=", run->stop_command);
	append_value(buffer, &used, "finish=", run->finish_command);
	if (run->finish_command) {
		snprintf(number, sizeof(number), "finish-timeout=%lld",
		         (long long)run->finish_timeout_ns);
		append(buffer, &used, number);
	}
	for (char **variable = run->environment; variable && *variable; variable++)
		append_value(buffer, &used, "environment=", *variable);
	if (run->supervisor > 0) {
		snprintf(supervisor, sizeof(supervisor), "supervisor=%d %llu", (int)run->supervisor,
		         (unsigned long long)run->supervisor_start);
		append(buffer, &used, supervisor);
	}
	if (run->output_limit > 0) {
		snprintf(number, sizeof(number), "%lld", (long long)run->output_limit);
		append_value(buffer, &used, "output-limit=", number);
	}
	append(buffer, &used, "");
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

	ssize_t written = file_write(fd, buffer, size);
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
static int open_own(const char *path, struct stat *status)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int result;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, status) < 0)
		result = -errno;
	else if (!S_ISREG(status->st_mode) || status->st_uid != geteuid() ||
	         (status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		result = -EPERM;
	else if (status->st_size > SIZE_LIMIT)
		result = -EFBIG;
	else
		result = 0;
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

/* The whole file, with a NUL behind it. */
static int read_whole(const char *path, char **out, size_t *size, bool *sealed)
{
	struct stat status = {0};
	int fd = open_own(path, &status);

	if (fd < 0)
		return fd;
	*size = (size_t)status.st_size;
	*sealed = (status.st_mode & S_IWUSR) == 0;

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

/* The value of a string that begins with key; NULL: it does not. */
static char *value_of(char *string, const char *key)
{
	size_t length = strlen(key);

	return strncmp(string, key, length) == 0 ? string + length : NULL;
}

static void take_value(char *string, struct runfile *run, char ***variable)
{
	char *value, *end;

	if ((value = value_of(string, "name=")))
		run->name = value;
	else if ((value = value_of(string, "cwd=")))
		run->cwd = value;
	else if ((value = value_of(string, "stop=")))
		run->stop_command = value;
	else if ((value = value_of(string, "finish=")))
		run->finish_command = value;
	else if ((value = value_of(string, "finish-timeout=")))
		run->finish_timeout_ns = strtoll(value, NULL, 10);
	else if ((value = value_of(string, "environment=")))
		*(*variable)++ = value;
	else if ((value = value_of(string, "output-limit=")))
		run->output_limit = strtoll(value, NULL, 10);
	else if ((value = value_of(string, "supervisor="))) {
		long pid = strtol(value, &end, 10);
		run->supervisor = pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
		run->supervisor_start = strtoull(end, NULL, 10);
	}
}

/* The strings lie behind each other in run->text. */
static int decode(size_t size, struct runfile *run)
{
	char *string = run->text, *end = run->text + size;
	size_t count = count_strings(run->text, size);

	if (count == 0 || end[-1] != '\0' || strcmp(string, FORMAT_LINE) != 0)
		return -EBADMSG;
	run->command = calloc(count, sizeof(*run->command));
	run->environment = calloc(count, sizeof(*run->environment));
	if (!run->command || !run->environment)
		return -ENOMEM;
	char **variable = run->environment;
	for (string += strlen(string) + 1; string < end && *string; string += strlen(string) + 1)
		take_value(string, run, &variable);
	if (string == end)
		return -EBADMSG;
	char **word = run->command;
	for (string++; string < end; string += strlen(string) + 1)
		*word++ = string;
	return 0;
}

int runfile_read(const char *path, struct runfile *run)
{
	size_t size = 0;
	bool sealed = false;

	memset(run, 0, sizeof(*run));
	int result = read_whole(path, &run->text, &size, &sealed);
	if (result == 0)
		result = decode(size, run);
	if (result < 0)
		runfile_free(run);
	else if (sealed)
		run->finish_command = NULL;
	return result;
}

void runfile_seal(const char *path)
{
	chmod(path, 0400);
}

void runfile_free(struct runfile *run)
{
	free(run->command);
	free(run->environment);
	free(run->text);
	memset(run, 0, sizeof(*run));
}

void command_format(char *const *command, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (char *const *word = command; word && *word && used < size; word++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " " : "",
		                         *word);
}

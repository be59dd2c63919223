/* What the table has no room for: see details.h. */
#include "invctl-view/details.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "invctl-supervisor.h"
#include "os/state_directory.h"
#include "supervise/waiting.h"

enum { COMMAND_LINE_LIMIT = 16 * 1024 };

/* The first COMMAND_LINE_LIMIT bytes of a process's words, each with its NUL; the length. */
static size_t read_command_line(int pid, char line[COMMAND_LINE_LIMIT])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);

	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, line, COMMAND_LINE_LIMIT - 1) : -1;

	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return 0;
	line[length] = '\0';
	return (size_t)length + (line[length - 1] != '\0');
}

/* In one piece of memory: the array of words, and behind it the words. NULL: not known. */
static char **command_of(int pid)
{
	char line[COMMAND_LINE_LIMIT];
	size_t length = read_command_line(pid, line);
	size_t count = 0, used = 0;

	for (size_t i = 0; i < length; i++)
		count += line[i] == '\0';

	char **words = count > 0 ? malloc((count + 1) * sizeof(*words) + length) : NULL;

	if (!words)
		return NULL;

	char *copy = memcpy(words + count + 1, line, length);

	for (size_t i = 0; i < count; i++) {
		words[i] = copy + used;
		used += strlen(words[i]) + 1;
	}
	words[count] = NULL;
	return words;
}

static char *directory_of(int pid)
{
	char path[64], target[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);

	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return NULL;
	target[length] = '\0';
	return strdup(target);
}

/* What is no longer kept is a hole at its beginning. */
static void find_output(inv_table *table, const uint8_t id[16], struct details *details)
{
	char name[STATE_NAME_BYTES], path[PATH_MAX];
	struct stat status;
	int directory = state_directory_open(inv_table_name(table));

	state_file_name(id, "out", name);

	int fd = directory >= 0 ? state_file_open(directory, name) : -1;

	if (fd >= 0 && fstat(fd, &status) == 0 &&
	    inv_state_path(table, id, "out", path, sizeof(path)) == 0) {
		off_t data = lseek(fd, 0, SEEK_DATA);

		details->output = strdup(path);
		details->output_bytes = (uint64_t)status.st_size;
		details->output_lost = data > 0 ? (uint64_t)data : 0;
	}
	if (fd >= 0)
		close(fd);
	if (directory >= 0)
		close(directory);
}

void details_find(inv_table *table, const struct inv_info *info, struct details *details)
{
	char path[PATH_MAX];
	bool live = info->completed_ns == 0;

	memset(details, 0, sizeof(*details));
	if (info->kind == INV_KIND_RUN)
		find_output(table, info->id, details);
	waiting_for(table, info, &details->waiting_for);
	if (info->kind == INV_KIND_RUN &&
	    inv_state_path(table, info->id, "run", path, sizeof(path)) == 0 &&
	    runfile_read(path, &details->run) == 0) {
		details->command = details->run.command;
		details->cwd = details->run.cwd;
	} else if (live && info->pid > 0) {
		details->command = command_of(info->pid);
		details->cwd = directory_of(info->pid);
	}
}

void details_free(struct details *details)
{
	if (details->run.command) {
		runfile_free(&details->run);
	} else {
		free(details->command);
		free(details->cwd);
	}
	free(details->output);
	process_list_free(&details->waiting_for);
	memset(details, 0, sizeof(*details));
}

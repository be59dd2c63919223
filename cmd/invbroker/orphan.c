/*
 * What can be known of an action whose supervisor is dead.
 *
 * A pid that stands in a shared table was written by any member of its group,
 * and the broker must not be talked into signalling a process of its user that
 * has nothing to do with it. So there the command's process must name the
 * invocation in its environment, which only its own user can bring about; in a
 * private table the pid and its start time are enough. Either way it must be the
 * broker's own user's.
 */
#include "invbroker/orphan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENVIRONMENT_BYTES_MAX = 4 * 1024 * 1024, ENVIRONMENT_STEP = 16384 };

/* Our invocation as it stands in the environment of its processes. The id alone is not enough:
 * it may be another table's, where nobody of this one has anything to say. */
struct context {
	char id[16 + 37];
	char table[16 + INV_TABLE_NAME_BYTES];
};

/* All of a file of /proc, which tells no size, with a NUL behind it; NULL on any error. */
static char *read_all(int fd, size_t *used)
{
	char *text = NULL;
	ssize_t length = 1;

	*used = 0;
	for (size_t size = ENVIRONMENT_STEP; length > 0 && size <= ENVIRONMENT_BYTES_MAX;
	     size *= 2) {
		char *grown = realloc(text, size + 1);
		if (!grown)
			break;
		text = grown;
		while (*used < size && (length = read(fd, text + *used, size - *used)) > 0)
			*used += (size_t)length;
	}
	if (text && length == 0) {
		text[*used] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* The environment that a process of our own user was started with. */
static char *read_environment(pid_t pid, size_t *used)
{
	char path[40];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	char *text =
	        fstat(fd, &status) == 0 && status.st_uid == geteuid() ? read_all(fd, used) : NULL;
	close(fd);
	return text;
}

/* Split into strings, and leave out the one that names an invocation; *named: it is ours, and
 * of our table. */
static char **split_environment(char *text, size_t used, const struct context *ours, bool *named)
{
	size_t count = 0, kept = 0;
	bool id_named = false, table_named = false;

	for (size_t i = 0; i < used; i++)
		count += text[i] == '\0';
	char **strings = calloc(count + 2, sizeof(*strings));
	if (!strings)
		return NULL;
	for (char *string = text; string < text + used; string += strlen(string) + 1) {
		if (strncmp(string, "INVCTL_ID=", 10) != 0)
			strings[kept++] = string;
		else
			id_named = strcasecmp(string, ours->id) == 0;
		if (strcmp(string, ours->table) == 0)
			table_named = true;
	}
	*named = id_named && table_named;
	return strings;
}

static bool learn_environment(inv_table *table, struct orphan *orphan, const char *id)
{
	struct context ours;
	size_t used;
	bool named = false;

	snprintf(ours.id, sizeof(ours.id), "INVCTL_ID=%s", id);
	snprintf(ours.table, sizeof(ours.table), "INVCTL_TABLE=%s", inv_table_name(table));
	orphan->environment_text = orphan->pid > 0 ? read_environment(orphan->pid, &used) : NULL;
	if (!orphan->environment_text)
		return false;
	orphan->environment = split_environment(orphan->environment_text, used, &ours, &named);
	/* Read before it is made sure of that the pid was not used again meanwhile. */
	return named && process_alive(orphan->pid, orphan->pid_start);
}

void orphan_open(inv_table *table, bool shared, inv_invocation *invocation,
                 const struct inv_run_view *view, struct orphan *orphan)
{
	struct inv_info row = {0};
	char id[37], path[4096];

	*orphan = (struct orphan){.pid = view->pid, .pid_start = view->pid_start};
	orphan->scope = (struct process_scope){.table = table, .uid = geteuid()};
	inv_invocation_id(invocation, orphan->scope.id);
	inv_id_format(orphan->scope.id, id);
	inv_info_get(table, orphan->scope.id, &row);
	orphan->foreign = row.uid != geteuid();
	snprintf(orphan->label, sizeof(orphan->label), "%s (%.*s)", id, INV_NAME_BYTES - 1,
	         row.name);
	if (learn_environment(table, orphan, id) || !shared) {
		orphan->scope.command = orphan->pid;
		orphan->scope.command_start = orphan->pid_start;
	}
	if (inv_state_path(table, orphan->scope.id, "run", path, sizeof(path)) == 0)
		runfile_read(path, &orphan->run);
}

void orphan_close(struct orphan *orphan)
{
	runfile_free(&orphan->run);
	free(orphan->environment);
	free(orphan->environment_text);
}

int orphan_pidfd(const struct orphan *orphan)
{
	if (orphan->pid <= 0)
		return -ESRCH;
	long pidfd = syscall(SYS_pidfd_open, orphan->pid, 0);
	if (pidfd < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	/* In this order: what lives under that pid now is what was opened. */
	if (!process_alive(orphan->pid, orphan->pid_start)) {
		close((int)pidfd);
		return -ESRCH;
	}
	return (int)pidfd;
}

/*
 * The invocation that a process was started in, read from /proc/PID/environ: the
 * environment of its last exec, which no later setenv changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervise/process_table.h"

/* Takes an environment in pieces, as it is read, and keeps only two of its values. */
struct scan {
	char *id, *table;
	char entry[128]; /* the beginning of the current entry: enough for both */
	size_t length;
};

static void keep(const char *entry, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	if (strncmp(entry, name, length) == 0 && strlen(entry + length) < size)
		snprintf(value, size, "%s", entry + length);
}

static void end_entry(struct scan *scan)
{
	scan->entry[scan->length] = '\0';
	keep(scan->entry, "INVCTL_ID=", scan->id, 37);
	keep(scan->entry, "INVCTL_TABLE=", scan->table, INV_TABLE_NAME_BYTES);
	scan->length = 0;
}

static void take(struct scan *scan, const char *piece, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (piece[i] == '\0')
			end_entry(scan);
		else if (scan->length < sizeof(scan->entry) - 1)
			scan->entry[scan->length++] = piece[i];
	}
}

int process_context(pid_t pid, char id[37], char table[INV_TABLE_NAME_BYTES])
{
	char path[48], piece[4096];
	struct scan scan = {.id = id, .table = table};
	ssize_t length;

	id[0] = table[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((length = read(fd, piece, sizeof(piece))) > 0)
		take(&scan, piece, (size_t)length);

	int error = length < 0 ? -errno : 0;

	close(fd);
	return error;
}

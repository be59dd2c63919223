/*
 * Finding the tables of this machine.
 *
 * A table has a name in /dev/shm, where other programs have theirs too: its file begins as a
 * table does, or it is named as the table of its owner is. One whose file can't be read, and one
 * whose name was removed, are known by the socket of their broker. Every user may listen
 * under such a name: it counts where that user owns the file, or where there is none, and opening
 * it decides. Others may mean to delay the caller: few of their names without a file count.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "invctl-supervisor.h"
#include "table/handover.h"
#include "table/layout.h"
#include "table/name.h"

#define SEGMENT_DIRECTORY "/dev/shm"

enum { OTHERS_MAX = 16 };

struct finder {
	int directory;
	int others; /* sockets of other users, of tables without a file */
	void (*each)(const char *name, uint32_t uid, int served, void *arg);
	void *arg;
};

static bool begins_as_table(int directory, const char *name)
{
	/* O_NONBLOCK: it may be a FIFO by now. */
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	uint64_t magic = 0;

	if (fd < 0)
		return false;
	ssize_t length = pread(fd, &magic, sizeof(magic), 0);
	close(fd);
	return length == (ssize_t)sizeof(magic) && magic == LAYOUT_MAGIC;
}

static void consider_file(const struct finder *finder, const char *name)
{
	char usual[INV_TABLE_NAME_BYTES];
	struct stat status;

	if (!table_name_valid(name) ||
	    fstatat(finder->directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(status.st_mode))
		return;
	snprintf(usual, sizeof(usual), "invctl-%u", (unsigned)status.st_uid);
	if (strcmp(name, usual) == 0 || begins_as_table(finder->directory, name))
		finder->each(name, status.st_uid, 0, finder->arg);
}

static void consider_listener(const char *name, uid_t uid, void *arg)
{
	struct finder *finder = arg;
	struct stat status;
	bool named = fstatat(finder->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0;

	if (named ? status.st_uid == uid : uid == geteuid() || finder->others++ < OTHERS_MAX)
		finder->each(name, uid, 1, finder->arg);
}

int inv_tables_each(void (*each)(const char *name, uint32_t uid, int served, void *arg), void *arg)
{
	DIR *directory = opendir(SEGMENT_DIRECTORY);

	if (!directory)
		return -errno;
	struct finder finder = {.directory = dirfd(directory), .each = each, .arg = arg};
	for (struct dirent *entry; (entry = readdir(directory));)
		consider_file(&finder, entry->d_name);
	int error = handover_each_listener(consider_listener, &finder);
	closedir(directory);
	return error;
}

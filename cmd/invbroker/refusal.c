/*
 * Why a table can't be had. What lies under its name is looked at for the
 * sentence alone; nothing is opened, and nothing is removed.
 */
#include "refusal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "exit_status.h"

enum { BYTES_PER_INVOCATION = 512, CAPACITY_USUAL = 65536, MIB = 1024 * 1024 };

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return "a symbolic link";
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFREG:
		return NULL;
	default:
		return "a device";
	}
}

static int explain_segment(const struct options *options, const struct stat *status, int error,
                           struct readiness *readiness)
{
	const char *table = options->table, *kind = kind_of(status->st_mode);
	unsigned mode = status->st_mode & 07777;

	if (kind)
		return readiness_fail(
		        readiness, EXIT_NO_TABLE,
		        "/dev/shm/%s is %s, not a table; find out who put it there, remove it, "
		        "or use another --table",
		        table, kind);
	if (status->st_uid != geteuid() && mode != 0660)
		return readiness_fail(
		        readiness, EXIT_DENIED,
		        "/dev/shm/%s belongs to user %u, not to you; use another --table, or "
		        "have it removed",
		        table, (unsigned)status->st_uid);
	if (mode != 0600 && mode != 0660)
		return readiness_fail(
		        readiness, EXIT_DENIED,
		        "/dev/shm/%s has mode %04o, which is not that of a table (0600, or "
		        "0660 for a shared one): others may have written to it; remove it "
		        "with 'rm /dev/shm/%s'",
		        table, mode, table);
	if (status->st_nlink > 1)
		return readiness_fail(
		        readiness, EXIT_DENIED,
		        "/dev/shm/%s has a second name, which no table has; remove it with 'rm "
		        "/dev/shm/%s'",
		        table, table);
	if (error == -EPROTO)
		return readiness_fail(
		        readiness, EXIT_NO_TABLE,
		        "table '%s' was made by another version of invctl; let its actions end "
		        "and remove it with 'rm /dev/shm/%s', or use another --table",
		        table, table);
	if (error == -EBADMSG)
		return readiness_fail(
		        readiness, EXIT_NO_TABLE,
		        "/dev/shm/%s (%lld bytes) is damaged, or no table at all; remove it "
		        "with 'rm /dev/shm/%s', or use another --table",
		        table, (long long)status->st_size, table);
	return readiness_fail(
	        readiness, EXIT_DENIED,
	        "table '%s' belongs to user %u and may not be opened: %s; ask for membership "
	        "in its group, or use another --table",
	        table, (unsigned)status->st_uid, inv_strerror(error));
}

static int explain_space(const struct options *options, int error, struct readiness *readiness)
{
	struct statvfs system;
	uint32_t capacity = options->capacity ? options->capacity : CAPACITY_USUAL;
	unsigned long free_mib = 0;

	if (statvfs("/dev/shm", &system) == 0)
		free_mib = (unsigned long)(system.f_bavail * system.f_frsize / MIB);
	readiness->error = -error;
	return readiness_fail(
	        readiness, EXIT_NO_TABLE,
	        "there is no room for table '%s': it takes up to %u MiB, and /dev/shm has %lu "
	        "MiB free (%s); make /dev/shm larger (docker run --shm-size=256m) or start "
	        "invbroker with a smaller --capacity than %u",
	        options->table, (unsigned)((uint64_t)capacity * BYTES_PER_INVOCATION / MIB + 1),
	        free_mib, inv_strerror(error), capacity);
}

int refusal_explain(const struct options *options, int error, struct readiness *readiness)
{
	char path[16 + INV_TABLE_NAME_BYTES];
	struct stat status;

	snprintf(path, sizeof(path), "/dev/shm/%s", options->table);
	if (error == -EINVAL)
		return readiness_fail(
		        readiness, EXIT_USAGE,
		        "'%s' is no table name; a name is 1 to 64 of A-Z a-z 0-9 . _ -",
		        options->table);
	if (error == -ENOSPC || error == -ENOMEM)
		return explain_space(options, error, readiness);
	if ((error == -EPERM || error == -EACCES || error == -EBADMSG || error == -EPROTO) &&
	    lstat(path, &status) == 0)
		return explain_segment(options, &status, error, readiness);
	if (error == -EPERM && options->shared)
		return readiness_fail(
		        readiness, EXIT_DENIED,
		        "table '%s' can't be given to group %u: you are not a member of it",
		        options->table, (unsigned)options->gid);
	return readiness_fail(readiness,
	                      error == -EACCES || error == -EPERM ? EXIT_DENIED : EXIT_NO_TABLE,
	                      "table '%s' can't be made or opened in /dev/shm: %s", options->table,
	                      inv_strerror(error));
}

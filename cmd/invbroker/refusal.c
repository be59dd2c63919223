/* Why a table can't be had: what only a maker of tables has to say, and segment.h for the rest. */
#include "invbroker/refusal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/exit_status.h"
#include "common/segment.h"

enum { BYTES_PER_INVOCATION = 768, CAPACITY_USUAL = 16384, MIB = 1024 * 1024 };

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

static bool is_denial(int error)
{
	return error == -EPERM || error == -EACCES;
}

static bool has_name(const char *table)
{
	char path[16 + INV_TABLE_NAME_BYTES];
	struct stat status;

	snprintf(path, sizeof(path), "/dev/shm/%s", table);
	return lstat(path, &status) == 0;
}

int refusal_explain(const struct options *options, int error, struct readiness *readiness)
{
	char sentence[SEGMENT_SENTENCE_BYTES];

	if (error == -EINVAL)
		return readiness_fail(
		        readiness, EXIT_USAGE,
		        "'%s' is no table name; a name is 1 to 64 of A-Z a-z 0-9 . _ -",
		        options->table);
	if (error == -ENOSPC || error == -ENOMEM)
		return explain_space(options, error, readiness);
	if (error == -EBADMSG || error == -EPROTO || (is_denial(error) && has_name(options->table)))
		return readiness_fail(readiness, segment_explain(options->table, error, sentence),
		                      "%s", sentence);
	if (error == -EPERM && options->shared)
		return readiness_fail(
		        readiness, EXIT_DENIED,
		        "table '%s' can't be given to group %u: you are not a member of it",
		        options->table, (unsigned)options->gid);
	return readiness_fail(readiness, is_denial(error) ? EXIT_DENIED : EXIT_NO_TABLE,
	                      "table '%s' can't be made or opened in /dev/shm: %s", options->table,
	                      inv_strerror(error));
}

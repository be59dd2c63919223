/*
 * Making a table.
 *
 * The segment is made without a name (O_TMPFILE), allocated in full, so that a full
 * /dev/shm is an error here and no SIGBUS later, its header written, and only then
 * linked to its name: a half-made table is never visible, a broker killed in between
 * leaves nothing, and of two makers one gets the name and the other attaches.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/process.h"
#include "table/table.h"

#define SEGMENT_DIRECTORY "/dev/shm"

static int write_header(int fd, const gid_t *group, const struct request_record *hold,
                        const struct geometry *geometry)
{
	struct header header = {
	        .magic = LAYOUT_MAGIC,
	        .version = LAYOUT_VERSION,
	        .capacity = geometry->capacity,
	        .fingerprint = LAYOUT_FINGERPRINT,
	        .bytes = geometry->bytes,
	        .buckets = geometry->buckets,
	        .width = geometry->width,
	        .slots = geometry->slots,
	        .owners = geometry->owners,
	        .uid = geteuid(),
	        .gid = group ? *group : getegid(),
	        .shared = group != NULL,
	        .created_ns = clock_realtime_ns(),
	        .created_monotonic_ns = clock_monotonic_ns(),
	        .namespace = process_namespace(),
	};

	if (hold)
		memcpy(&header.hold, hold, sizeof(header.hold));
	while (header.epoch == 0)
		if (getrandom(&header.epoch, sizeof(header.epoch), 0) != sizeof(header.epoch))
			return -EAGAIN;
	ssize_t written = pwrite(fd, &header, sizeof(header), 0);
	return written == (ssize_t)sizeof(header) ? 0 : written < 0 ? -errno : -ENOSPC;
}

static int fill_segment(int fd, uint32_t capacity, const gid_t *group,
                        const struct request_record *hold)
{
	struct geometry geometry;
	int error = geometry_of(capacity, &geometry);

	if (error)
		return error;
	error = -posix_fallocate(fd, 0, (off_t)geometry.bytes);
	if (error)
		return error;
	/* The umask has no say in who may open it. */
	if (group && fchown(fd, (uid_t)-1, *group) != 0)
		return -errno;
	if (fchmod(fd, group ? 0660 : 0600) != 0)
		return -errno;
	return write_header(fd, group, hold, &geometry);
}

static int publish(int fd, const char *name)
{
	char from[40], to[sizeof(SEGMENT_DIRECTORY) + INV_TABLE_NAME_BYTES + 1];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	snprintf(to, sizeof(to), SEGMENT_DIRECTORY "/%s", name);
	/* Never replaces what is there. */
	return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

int table_make(const char *name, uint32_t capacity, const gid_t *group,
               const struct request_record *hold, inv_table **out)
{
	int fd = open(SEGMENT_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	int error = fill_segment(fd, capacity, group, hold);
	if (!error)
		error = publish(fd, name);
	if (error) {
		close(fd);
		return error;
	}
	return table_attach_fd(name, fd, false, true, out);
}

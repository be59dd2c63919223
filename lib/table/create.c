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
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/broker.h"
#include "os/clock.h"
#include "os/process.h"
#include "table/handover.h"
#include "table/table.h"

#define SEGMENT_DIRECTORY "/dev/shm"

static int write_header(int fd, const struct broker_create *create, const struct geometry *geometry)
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
	        .gid = create->shared ? create->gid : getegid(),
	        .shared = create->shared,
	        .created_ns = clock_realtime_ns(),
	        .created_monotonic_ns = clock_monotonic_ns(),
	        .namespace = process_namespace(),
	};

	while (header.epoch == 0)
		if (getrandom(&header.epoch, sizeof(header.epoch), 0) != sizeof(header.epoch))
			return -EAGAIN;
	ssize_t written = pwrite(fd, &header, sizeof(header), 0);
	return written == (ssize_t)sizeof(header) ? 0 : written < 0 ? -errno : -ENOSPC;
}

static int fill_segment(int fd, const struct broker_create *create)
{
	struct geometry geometry;
	int error = geometry_of(create->capacity ? create->capacity : CAPACITY_DEFAULT, &geometry);

	if (error)
		return error;
	error = -posix_fallocate(fd, 0, (off_t)geometry.bytes);
	if (error)
		return error;
	/* The umask has no say in who may open it. */
	if (create->shared && fchown(fd, (uid_t)-1, create->gid) != 0)
		return -errno;
	if (fchmod(fd, create->shared ? 0660 : 0600) != 0)
		return -errno;
	return write_header(fd, create, &geometry);
}

static int publish(int fd, const char *name)
{
	char from[40], to[sizeof(SEGMENT_DIRECTORY) + INV_TABLE_NAME_BYTES + 1];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	snprintf(to, sizeof(to), SEGMENT_DIRECTORY "/%s", name);
	/* Never replaces what is there. */
	return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

static int make(const struct broker_create *create, inv_table **out)
{
	int fd = open(SEGMENT_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	int error = fill_segment(fd, create);
	if (!error)
		error = publish(fd, create->name);
	if (error) {
		close(fd);
		return error;
	}
	return table_attach_fd(create->name, fd, false, true, out);
}

/* The one there is: by its name; or from another user's broker, where a shared one has lost it. */
static int attach_existing(const char *name, inv_table **out)
{
	int error = table_attach_named(name, true, out);
	int fd = error == -ENOENT ? handover_receive_from_others(name) : -ENOENT;

	return fd < 0 ? error : table_attach_fd(name, fd, true, true, out);
}

int broker_open(const struct broker_create *create, inv_table **out, bool *created)
{
	enum { RACES_MAX = 100 };

	if (!table_name_valid(create->name))
		return -EINVAL;
	for (int i = 0; i < RACES_MAX; i++) {
		*created = false;
		int error = attach_existing(create->name, out);
		if (error != -ENOENT)
			return error;
		*created = true;
		error = make(create, out);
		if (error != -EEXIST)
			return error;
	}
	return -EAGAIN;
}

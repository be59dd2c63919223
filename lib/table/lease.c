/* Locks of an open file on the segment: see lease.h. */
#include "table/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct flock lock_of(short type, off_t byte)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

off_t lease_of_owner(const inv_table *table, uint32_t index)
{
	return (off_t)table->geometry.bytes + (off_t)index;
}

bool lease_is_ours(const inv_table *table, int fd, struct stat *status)
{
	return fstat(fd, status) == 0 && status->st_dev == table->device &&
	       status->st_ino == table->inode;
}

int lease_open(const inv_table *table)
{
	char path[40];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", table->fd);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (lease_is_ours(table, fd, &status))
		return fd;
	close(fd);
	return -ESTALE;
}

void lease_close(const inv_table *table, int fd)
{
	struct stat status;

	/* A host program may have closed it, and opened something else there. */
	if (lease_is_ours(table, fd, &status))
		close(fd);
}

int lease_take(int fd, off_t byte)
{
	struct flock lock = lock_of(F_WRLCK, byte);

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

void lease_give_back(int fd, off_t byte)
{
	struct flock lock = lock_of(F_UNLCK, byte);

	fcntl(fd, F_OFD_SETLK, &lock);
}

int lease_held(const inv_table *table, off_t byte)
{
	struct flock lock = lock_of(F_WRLCK, byte);
	struct stat status;

	if (!lease_is_ours(table, table->fd, &status) || fcntl(table->fd, F_OFD_GETLK, &lock) != 0)
		return -ESTALE;
	return lock.l_type != F_UNLCK;
}

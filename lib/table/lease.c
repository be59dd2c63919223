/*
 * The leases of a table: see lease.h.
 *
 * A broker of another PID namespace may not see the owners of this one, nor what they run:
 * then the processes here clean up after them too, as if there were no broker.
 */
#include "table/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/pid_namespace.h"

enum { CHECK_AGAIN_NS = 1000000000, LATELY_NS = 50000000 };

off_t lease_of_owner(const inv_table *table, uint32_t index)
{
	return (off_t)table->geometry.bytes + (off_t)index;
}

static bool is_of_segment(const inv_table *table, int fd, struct stat *status)
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
	if (is_of_segment(table, fd, &status))
		return fd;
	close(fd);
	return -ESTALE;
}

void lease_close(const inv_table *table, int fd)
{
	struct stat status;

	if (is_of_segment(table, fd, &status))
		close(fd);
}

static int held(const inv_table *table, off_t byte)
{
	struct stat status;
	int result = is_of_segment(table, table->fd, &status) ? lease_held(table->fd, byte) : -1;

	return result < 0 ? -ESTALE : result;
}

int lease_owner_held(const inv_table *table, uint32_t index)
{
	return held(table, lease_of_owner(table, index));
}

int table_has_broker(const inv_table *table)
{
	return held(table, LEASE_BROKER);
}

static bool broker_is_here(const inv_table *table)
{
	uint64_t broker = atomic_load(&table->header->broker_owner);

	if (broker == 0 || broker >= table->geometry.owners)
		return true;
	uint64_t here = process_namespace();
	return here == 0 || atomic_load(&table->owners[broker].namespace) == here;
}

bool table_broker_can_watch(inv_table *table)
{
	int64_t now_ns = clock_monotonic_coarse_ns();

	if (!broker_is_here(table))
		return false;
	if (atomic_load_explicit(&table->broker_awake_ns, memory_order_relaxed) + LATELY_NS >
	    now_ns)
		return true;
	/* The pid may be forged: a wrong answer only makes the caller sweep, or wait, itself. */
	char state = process_state((pid_t)atomic_load(&table->header->broker_pid));
	if (state == 'T' || state == 't')
		return false;
	atomic_store_explicit(&table->broker_awake_ns, now_ns, memory_order_relaxed);
	return true;
}

bool table_broker_watches(inv_table *table)
{
	return table_has_broker(table) == 1 && table_broker_can_watch(table);
}

bool table_broker_watches_lately(inv_table *table)
{
	int64_t now_ns = clock_monotonic_coarse_ns();

	if (atomic_load_explicit(&table->broker_seen_ns, memory_order_relaxed) + LATELY_NS > now_ns)
		return true;
	if (table_has_broker(table) != 1 || !broker_is_here(table))
		return false;
	atomic_store_explicit(&table->broker_seen_ns, now_ns, memory_order_relaxed);
	return true;
}

static bool name_is_ours(const inv_table *table)
{
	char object[INV_TABLE_NAME_BYTES + 1];
	struct stat status;

	snprintf(object, sizeof(object), "/%s", table->name);
	int fd = shm_open(object, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool ours = is_of_segment(table, fd, &status);
	close(fd);
	return ours;
}

bool table_abandoned(const inv_table *table)
{
	struct stat status;

	if (!is_of_segment(table, table->fd, &status))
		return !name_is_ours(table);
	/* Cut short, it reads as zeros from here on, or kills. */
	if (status.st_size != (off_t)table->geometry.bytes)
		return true;
	return status.st_nlink == 0 && table_has_broker(table) != 1;
}

bool table_abandoned_lately(inv_table *table)
{
	int64_t now_ns = clock_monotonic_coarse_ns();

	if (atomic_load_explicit(&table->intact_ns, memory_order_relaxed) + LATELY_NS > now_ns)
		return false;
	if (table_abandoned(table))
		return true;
	atomic_store_explicit(&table->intact_ns, now_ns, memory_order_relaxed);
	return false;
}

void table_ensure_broker(inv_table *table)
{
	int64_t now_ns = clock_monotonic_coarse_ns();

	if (atomic_load_explicit(&table->broker_checked_ns, memory_order_relaxed) + CHECK_AGAIN_NS >
	    now_ns)
		return;
	atomic_store_explicit(&table->broker_checked_ns, now_ns, memory_order_relaxed);
	if (!table->view_only && table_has_broker(table) == 0)
		autostart_broker(table->name);
}

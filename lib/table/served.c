/*
 * Is a table served by a broker, and has it still a name?
 *
 * The serving broker holds a lease (lease.h), which can be asked for across PID and network
 * namespaces. A broker of another PID namespace may not see the owners of this one, nor
 * what they run: then whoever looks here looks after them too, as if there were no broker.
 */
#include "table/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "invctl-supervisor.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/process.h"

enum { ASK_AGAIN_NS = 1000000000, LATELY_NS = 50000000 };

void table_close_descriptor(const inv_table *table)
{
	lease_close(table, table->fd);
}

int table_has_broker(const inv_table *table)
{
	return lease_held(table, LEASE_BROKER);
}

bool table_broker_is_here(const inv_table *table)
{
	uint64_t broker = atomic_load(&table->header->broker_owner);

	if (broker == 0 || broker >= table->geometry.owners)
		return true;
	uint64_t here = process_namespace();
	return here == 0 || atomic_load(&table->owners[broker].namespace) == here;
}

bool table_broker_watches(const inv_table *table)
{
	return table_has_broker(table) == 1 && table_broker_is_here(table);
}

bool table_broker_watches_lately(inv_table *table)
{
	int64_t now_ns = clock_monotonic_coarse_ns();

	if (atomic_load_explicit(&table->lease_ns, memory_order_relaxed) + LATELY_NS > now_ns)
		return true;
	if (!table_broker_watches(table))
		return false;
	atomic_store_explicit(&table->lease_ns, now_ns, memory_order_relaxed);
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
	bool ours = fstat(fd, &status) == 0 && status.st_dev == table->device &&
	            status.st_ino == table->inode;
	close(fd);
	return ours;
}

bool table_abandoned(const inv_table *table)
{
	struct stat status;

	if (!lease_is_ours(table, table->fd, &status))
		return !name_is_ours(table);
	/* Cut short, it reads as zeros from here on, or kills. */
	if (status.st_size != (off_t)table->geometry.bytes)
		return true;
	return status.st_nlink == 0 && table_has_broker(table) != 1;
}

void table_ensure_broker(inv_table *table)
{
	int64_t now_ns = clock_monotonic_coarse_ns();

	if (atomic_load_explicit(&table->broker_asked_ns, memory_order_relaxed) + ASK_AGAIN_NS >
	    now_ns)
		return;
	atomic_store_explicit(&table->broker_asked_ns, now_ns, memory_order_relaxed);
	if (table_has_broker(table) == 0)
		autostart_broker(table->name);
}

int inv_table_have_broker(inv_table *table)
{
	if (table_has_broker(table) == 1)
		return 1;
	autostart_broker(table->name);
	return table_has_broker(table) == 1;
}

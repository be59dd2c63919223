/*
 * Opening a table by its name; and the default table, which a NULL table stands for.
 *
 * A table that is not under its name is requested from the broker that may still have it
 * (handover.h); else a broker is started, if the caller wants that.
 *
 * The default table is attached on first use and kept. When INVCTL_TABLE has changed since, or
 * the table was abandoned (its name is gone, and its broker too), the next use attaches anew.
 * Attached tables are never closed here: handles made from them may be in use.
 */
#include "table/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/environment.h"
#include "os/fork.h"
#include "table/guard.h"
#include "table/handover.h"
#include "table/lease.h"

enum { KEPT_NAMES = 8, FOUND_FOR_NS = 50000000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static inv_table *kept[KEPT_NAMES]; /* the names in use by this process, the newest first */

FORK_HANDLER(.order = FORK_DEFAULT_TABLE, .lock = &lock)

static int attach_or_receive(const char *name, bool guard, inv_table **out)
{
	int error = table_attach_named(name, guard, out);

	if (error != -ENOENT)
		return error;
	int fd = handover_receive(name);
	return fd < 0 ? fd : table_attach_fd(name, fd, true, guard, out);
}

int table_open(const char *name, unsigned flags, inv_table **out)
{
	bool guard = flags & INV_OPEN_GUARD;
	int error = attach_or_receive(name, guard, out);

	if (!(flags & INV_OPEN_AUTOSTART))
		return error;
	if (error == -ENOENT) {
		error = autostart_broker(name);
		return error ? error : attach_or_receive(name, guard, out);
	}
	if (error == 0)
		table_ensure_broker(*out);
	return error;
}

static void keep_first(inv_table *table, int count)
{
	memmove(&kept[1], &kept[0], (size_t)count * sizeof(kept[0]));
	kept[0] = table;
}

static inv_table *find_kept(const char *name)
{
	for (int i = 0; i < KEPT_NAMES && kept[i]; i++) {
		inv_table *table = kept[i];
		if (strcmp(table->name, name) != 0)
			continue;
		keep_first(table, i);
		return table;
	}
	return NULL;
}

static int attach_default(bool autostart, inv_table **out)
{
	char name[INV_TABLE_NAME_BYTES];
	int error = table_default_name(name);

	if (error)
		return error;
	inv_table *table = find_kept(name);
	if (table && !table_abandoned(table)) {
		*out = table;
		return 0;
	}
	/* A program that installed the guard wants it here too, where it can't say so. */
	error = table_open(name,
	                   (autostart ? INV_OPEN_AUTOSTART : 0u) |
	                           (guard_installed() ? INV_OPEN_GUARD : 0u),
	                   &table);
	if (error)
		return error;
	keep_first(table, KEPT_NAMES - 1);
	*out = table;
	return 0;
}

/* The default table as it was last found: good for 50 ms, while INVCTL_TABLE stays. */
struct finding {
	struct variable_place place;
	inv_table *table;
	_Atomic int64_t found_ns;
	struct finding *former; /* not freed: another thread may be using it.
	                         * INVCTL_TABLE seldom changes within a process. */
};

static _Atomic(struct finding *) latest;

static inv_table *found_lately(void)
{
	struct finding *finding = atomic_load_explicit(&latest, memory_order_acquire);

	if (!finding || !variable_unchanged(&finding->place) ||
	    atomic_load_explicit(&finding->found_ns, memory_order_relaxed) + FOUND_FOR_NS <=
	            clock_monotonic_coarse_ns())
		return NULL;
	return finding->table;
}

/* Under the lock. Without memory, the next call searches again. */
static void note_finding(inv_table *table)
{
	struct finding *finding = atomic_load(&latest);

	if (!finding || finding->table != table || !variable_unchanged(&finding->place)) {
		struct finding *former = finding;
		finding = calloc(1, sizeof(*finding));
		if (!finding)
			return;
		finding->place = variable_place_of("INVCTL_TABLE=");
		finding->table = table;
		finding->former = former;
	}
	atomic_store_explicit(&finding->found_ns, clock_monotonic_coarse_ns(),
	                      memory_order_relaxed);
	/* release: publishes the rest; pairs with the load in found_lately */
	atomic_store_explicit(&latest, finding, memory_order_release);
}

int table_resolve(inv_table *table, bool autostart, inv_table **resolved)
{
	/* A supervisor goes on with what it has in an abandoned one. */
	if (table && atomic_load(&table->owned) == 0 && table_abandoned_lately(table))
		return -ESTALE;
	if (!table)
		table = found_lately();
	if (table) {
		*resolved = table;
		return 0;
	}
	pthread_mutex_lock(&lock);
	int error = attach_default(autostart, resolved);
	if (!error)
		note_finding(*resolved);
	pthread_mutex_unlock(&lock);
	return error;
}

void table_set_default(inv_table *table)
{
	pthread_mutex_lock(&lock);
	keep_first(table, KEPT_NAMES - 1);
	pthread_mutex_unlock(&lock);
}

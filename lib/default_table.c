/*
 * The default table: what a NULL table stands for. Attached on first use and kept.
 *
 * When INVCTL_TABLE has changed since, or the table was abandoned (its name is
 * gone, and its broker too), the next use attaches anew. Attached tables are never
 * closed here: handles made from them may still be out.
 */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "guard.h"

enum { ASK_AGAIN_NS = 50000000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static inv_table *kept[8]; /* the names in use by this process, the newest first */

void default_table_fork_lock(void)
{
	pthread_mutex_lock(&lock);
}

void default_table_fork_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static void keep_first(inv_table *table, int count)
{
	memmove(&kept[1], &kept[0], (size_t)count * sizeof(kept[0]));
	kept[0] = table;
}

static inv_table *find_kept(const char *name)
{
	const int last = (int)(sizeof(kept) / sizeof(kept[0])) - 1;

	for (int i = 0; i <= last && kept[i]; i++) {
		inv_table *table = kept[i];
		if (strcmp(table->name, name) != 0)
			continue;
		keep_first(table, i);
		return table;
	}
	return NULL;
}

/* Where INVCTL_TABLE does not name it, the name costs system calls: it is kept for 50 ms. */
static int default_name(char name[INV_TABLE_NAME_BYTES])
{
	static char last[INV_TABLE_NAME_BYTES];
	static int64_t asked_ns = INT64_MIN / 2;
	const char *set = getenv("INVCTL_TABLE");

	if (set && *set)
		return table_default_name(name);
	int64_t now_ns = clock_monotonic_coarse_ns();
	if (now_ns - asked_ns > ASK_AGAIN_NS) {
		int error = table_default_name(last);
		if (error)
			return error;
		asked_ns = now_ns;
	}
	memcpy(name, last, sizeof(last));
	return 0;
}

/* Asks the kernel at most every 50 ms, so that a NULL table costs no system call. */
static bool newly_abandoned(inv_table *table)
{
	int64_t now_ns = clock_monotonic_coarse_ns();

	if (atomic_load_explicit(&table->named_ns, memory_order_relaxed) + ASK_AGAIN_NS > now_ns)
		return false;
	atomic_store_explicit(&table->named_ns, now_ns, memory_order_relaxed);
	return table_abandoned(table);
}

static int attach_default(bool autostart, inv_table **out)
{
	const int last = (int)(sizeof(kept) / sizeof(kept[0])) - 1;
	char name[INV_TABLE_NAME_BYTES];
	int error = default_name(name);

	if (error)
		return error;
	inv_table *table = find_kept(name);
	if (table && !newly_abandoned(table)) {
		*out = table;
		return 0;
	}
	/* A program that asked for the guard once wants it here too, where it can't say so. */
	error = inv_open(&table, name,
	                 (autostart ? INV_OPEN_AUTOSTART : 0u) |
	                         (guard_installed() ? INV_OPEN_GUARD : 0u));
	if (error)
		return error;
	keep_first(table, last);
	*out = table;
	return 0;
}

int table_resolve(inv_table *table, bool autostart, inv_table **resolved)
{
	if (table) {
		*resolved = table;
		return 0;
	}
	pthread_mutex_lock(&lock);
	int error = attach_default(autostart, resolved);
	pthread_mutex_unlock(&lock);
	return error;
}

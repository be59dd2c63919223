/* Opening and closing tables, and what a program may do with one as a whole. */
#include <errno.h>
#include <string.h>

#include "api/handle.h"
#include "invctl-supervisor.h"
#include "os/clock.h"
#include "os/fork.h"
#include "os/state_directory.h"
#include "protocol/hold.h"
#include "protocol/hold_copy.h"
#include "protocol/sweep.h"
#include "table/lease.h"
#include "table/notification.h"
#include "table/owner.h"

int inv_open(inv_table **out, const char *name, unsigned flags)
{
	char chosen[INV_TABLE_NAME_BYTES];

	*out = NULL;
	if (flags & ~(unsigned)(INV_OPEN_AUTOSTART | INV_OPEN_GUARD))
		return -EINVAL;
	if (name && !table_name_valid(name))
		return -EINVAL;
	int error = name ? 0 : table_default_name(chosen);
	return error ? error : table_open(name ? name : chosen, flags, out);
}

/* Give up what this process still owns. */
static void leave(inv_table *table)
{
	size_t left = 0;

	if (table->owner == 0 || table->process != fork_generation())
		return;
	if (table->owned > 0)
		left = sweep_owner(table, table->owner, table->owner_word, NULL, NULL);
	/* An orphan that is left needs its owner's entry until it is taken over. */
	owner_leave(table, left == 0);
}

void inv_close(inv_table *table)
{
	if (!table)
		return;
	event_handles_disown(table);
	leave(table);
	table_detach(table);
}

const char *inv_table_name(inv_table *table)
{
	return table || table_resolve(NULL, false, &table) == 0 ? table->name : "";
}

int inv_default_table_name(char name[INV_TABLE_NAME_BYTES])
{
	return table_default_name(name);
}

void inv_default_table_set(inv_table *table)
{
	table_set_default(table);
}

int inv_table_have_broker(inv_table *table)
{
	if (table_has_broker(table) == 1)
		return 1;
	/* It is its owner's to serve. */
	if (table->view_only)
		return 0;
	autostart_broker(table->name);
	return table_has_broker(table) == 1;
}

int inv_state_path(inv_table *table, const uint8_t id[16], const char *suffix, char *path,
                   size_t size)
{
	int error = table ? 0 : table_resolve(NULL, false, &table);

	return error ? error : state_path(table->name, id, suffix, path, size);
}

int inv_hold(inv_table *table, const char *note)
{
	int error = table_resolve(table, true, &table);

	if (error)
		return error;
	hold_put(table, note);
	/* Its broker may have removed it meanwhile. */
	return table_abandoned(table) ? -ESTALE : 0;
}

int inv_release(inv_table *table)
{
	int error = table_resolve(table, false, &table);

	if (!error)
		hold_release(table);
	return error;
}

int inv_hold_get(inv_table *table, struct inv_request *hold)
{
	int error = table_resolve(table, false, &table);

	return error ? error : hold_read(table, hold);
}

int inv_hold_wait(inv_table *table, int64_t timeout_ns)
{
	int64_t until_ns = clock_deadline_ns(timeout_ns);
	int error = table_resolve(table, false, &table);

	while (!error && hold_stands(table)) {
		if (until_ns >= 0 && clock_monotonic_ns() >= until_ns)
			return -ETIMEDOUT;
		error = hold_wait(table, until_ns);
		if (!error && table_abandoned(table))
			error = -ESTALE;
	}
	return error;
}

int inv_hold_await_stored(inv_table *table, int64_t timeout_ns)
{
	int64_t until_ns = clock_deadline_ns(timeout_ns);
	int error = table_resolve(table, false, &table);

	/* One who was killed may not have notified the broker. */
	if (!error && !hold_is_stored(table))
		notify_broker(table);
	while (!error && !hold_is_stored(table)) {
		if (until_ns >= 0 && clock_monotonic_ns() >= until_ns)
			return -ETIMEDOUT;
		error = hold_await_stored(table, until_ns);
	}
	return error;
}

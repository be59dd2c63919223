/* Where events come from: created, found, of a context that is entered. */
#include "api/event_create.h"

#include <errno.h>
#include <string.h>

#include "api/context.h"
#include "os/clock.h"
#include "os/uuid.h"
#include "protocol/register.h"
#include "table/lease.h"

enum { RACES_MAX = 100 };

int event_register_as(inv_table *table, const struct registration *registration, bool owned,
                      inv_event **out)
{
	struct slot_ref ref;

	pthread_mutex_lock(&table->lock);
	int error = register_slot(table, registration, &ref);
	if (!error) {
		*out = event_handle(table, ref, registration->id, owned);
		if (!*out) {
			slot_release(table, ref.index, slot_word(table, ref));
			table->owned--;
			error = -ENOMEM;
		}
	}
	pthread_mutex_unlock(&table->lock);
	return error;
}

static bool nil_id(const uint8_t id[16])
{
	static const uint8_t nil[16];

	return memcmp(id, nil, 16) == 0;
}

int event_register(inv_table *table, const uint8_t *id, enum inv_kind kind, const char *name,
                   inv_event **out)
{
	uint8_t fresh[16], parent[16];
	struct registration registration = {.flags = (uint64_t)kind};

	*out = NULL;
	int error = table_resolve(table, true, &table);
	if (error)
		return error;
	if (id && nil_id(id))
		return -EINVAL;
	if (!id) {
		error = uuid_fresh(fresh);
		if (error)
			return error;
		id = fresh;
	}
	table_ensure_broker(table);
	if (context_parent(table, parent, &registration.parent_ref, &registration.parent_known) &&
	    memcmp(parent, id, 16) != 0)
		registration.parent = parent;
	else
		registration.parent_known = false;
	registration.id = id;
	registration.name = name ? name : program_invocation_short_name;
	registration.requested_ns = clock_ns(CLOCK_REALTIME_COARSE);
	registration.started_ns = registration.requested_ns;
	if (kind == INV_KIND_EVENT)
		registration.flags |= SLOT_PENDING;
	error = event_register_as(table, &registration, true, out);
	/* Its name was taken away meanwhile: no request could find it. */
	if (!error && table_abandoned_lately(table)) {
		inv_event_put(*out);
		*out = NULL;
		error = -ESTALE;
	}
	return error;
}

int inv_event_create(inv_table *table, const uint8_t id[16], inv_event **out)
{
	return event_register(table, id, INV_KIND_EVENT, NULL, out);
}

int inv_event_find(inv_table *table, const uint8_t id[16], inv_event **out)
{
	*out = NULL;
	int error = table_resolve(table, false, &table);
	return error ? error : event_handle_find(table, id, out);
}

static int get_or_make(inv_table *table, const uint8_t id[16], enum inv_kind kind, inv_event **out)
{
	int error = table_resolve(table, true, &table);

	/* It may come and go between the two. */
	for (int i = 0; !error && i < RACES_MAX; i++) {
		error = event_handle_find(table, id, out);
		if (error != -ENOENT)
			return error;
		error = event_register(table, id, kind, NULL, out);
		if (error != -EEXIST)
			return error;
		error = 0;
	}
	return error ? error : -EAGAIN;
}

int inv_event_get(inv_table *table, const uint8_t *id, inv_event **out)
{
	*out = NULL;
	if (id)
		return get_or_make(table, id, INV_KIND_EVENT, out);
	inv_event *current;
	int error = context_event(&current);
	if (error)
		return error;
	event_handle_keep(current);
	*out = current;
	return 0;
}

static int context_register(inv_table *table, const uint8_t *id, inv_event **out)
{
	return id ? get_or_make(table, id, INV_KIND_CONTEXT, out)
	          : event_register(table, NULL, INV_KIND_CONTEXT, NULL, out);
}

int inv_context_enter(inv_table *table, const uint8_t *id, inv_context **out)
{
	inv_event *event;
	int error = context_register(table, id, &event);

	*out = NULL;
	if (error)
		return error;
	*out = context_push(event);
	if (*out)
		return 0;
	inv_event_put(event);
	return -ENOMEM;
}

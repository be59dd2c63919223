/* Registering: see register.h. */
#include "protocol/register.h"

#include <errno.h>
#include <string.h>

#include "api/context.h"
#include "os/clock.h"
#include "os/uuid.h"
#include "protocol/sweep.h"
#include "table/ledger.h"
#include "table/owner.h"

enum { RACES_MAX = 100 };

/* A full table may be full of the dead; an id that exists may be a dead owner's, and so
 * may one that can't be found: it was being published. */
static int register_again(inv_table *table, const struct registration *registration, int error,
                          struct slot_ref *ref)
{
	uint64_t word;

	if (error == -ENOSPC || slot_find(table, registration->id, ref, &word) != 0)
		sweep_dead(table, NULL, NULL);
	else if (!sweep_slot(table, ref->index))
		return error;
	return slot_register(table, registration, ref);
}

/* Enters this process as owner. Under table->lock. */
static int register_slot(inv_table *table, const struct registration *registration,
                         struct slot_ref *ref)
{
	int error = owner_enter(table);

	if (error)
		return error;
	/* Before it can be seen as a child, so that a cascade that may see it looks. Should the
	 * parent have ended meanwhile, its slot's next tenant is looked through for children
	 * that it has not, and its signal may wait a moment for them: no more comes of it. */
	if (registration->parent_known)
		atomic_fetch_or(&table->slots[registration->parent_ref.index].flags,
		                SLOT_HAS_CHILDREN);
	error = slot_register(table, registration, ref);
	if (error == -ESTALE) {
		/* Taken for dead: enter anew. */
		table->owner = 0;
		error = owner_enter(table);
		if (!error)
			error = slot_register(table, registration, ref);
	}
	if (error == -ENOSPC || error == -EEXIST)
		error = register_again(table, registration, error, ref);
	if (error)
		return error;
	table->owned++;
	/* `run` signals for itself, and is not signalled. */
	if ((registration->flags & SLOT_KIND_MASK) != INV_KIND_RUN)
		ledger_enter(table, ref->index, registration->id, registration->parent);
	return 0;
}

int register_handle(inv_table *table, const struct registration *registration, bool owned,
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

int register_event(inv_table *table, const uint8_t *id, enum inv_kind kind, const char *name,
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
	return register_handle(table, &registration, true, out);
}

int inv_event_create(inv_table *table, const uint8_t id[16], inv_event **out)
{
	return register_event(table, id, INV_KIND_EVENT, NULL, out);
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
		error = register_event(table, id, kind, NULL, out);
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

int register_context(inv_table *table, const uint8_t *id, inv_event **out)
{
	return id ? get_or_make(table, id, INV_KIND_CONTEXT, out)
	          : register_event(table, NULL, INV_KIND_CONTEXT, NULL, out);
}

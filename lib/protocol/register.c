/* Registering: see register.h. */
#include "protocol/register.h"

#include <errno.h>

#include "protocol/hold.h"
#include "protocol/pause.h"
#include "protocol/sweep.h"
#include "table/owner.h"

int register_owner(inv_table *table)
{
	int error = table->view_only ? -EACCES : owner_enter(table);

	/* Dead owners may hold the entries. */
	if (error == -ENOSPC) {
		sweep_dead(table, NULL, NULL);
		error = owner_enter(table);
	}
	return error;
}

/* Dead owners may fill the table or hold this id, or one that can't be found because it was
 * being published: sweep and retry. */
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

bool register_is_held(const inv_table *table, const struct registration *registration)
{
	uint64_t kind = registration->flags & SLOT_KIND_MASK;

	if ((kind != INV_KIND_RUN && kind != INV_KIND_CALL) || !hold_stands(table))
		return false;
	return !registration->parent_known ||
	       control_state(slot_word(table, registration->parent_ref)) != SLOT_LIVE;
}

int register_slot(inv_table *table, const struct registration *registration, struct slot_ref *ref)
{
	int error = register_is_held(table, registration) ? -EPERM : register_owner(table);

	if (error)
		return error;
	/* Before it can be seen as a child, so that a cascade that may see it scans for it. Should
	 * the parent have ended meanwhile, its slot's next tenant is scanned for children that it
	 * has not, and its signal may wait a moment for them: no more comes of it. */
	if (registration->parent_known)
		atomic_fetch_or(&table->slots[registration->parent_ref.index].flags,
		                SLOT_HAS_CHILDREN);
	error = slot_register(table, registration, ref);
	if (error == -ESTALE) {
		/* Taken for dead: enter anew. */
		table->owner = 0;
		error = register_owner(table);
		if (!error)
			error = slot_register(table, registration, ref);
	}
	if (error == -ENOSPC || error == -EEXIST)
		error = register_again(table, registration, error, ref);
	/* Held since (hold.c): as if it had never been registered. */
	if (!error && register_is_held(table, registration)) {
		slot_release(table, ref->index, slot_word(table, *ref));
		error = -EPERM;
	}
	if (error)
		return error;
	table->owned++;
	if (registration->parent_known)
		pause_inherit(table, *ref, registration->parent_ref);
	return 0;
}

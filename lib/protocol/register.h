/* Registering: an owner, and a slot for it, with what dead owners have left out of the way. */
#ifndef REGISTER_H
#define REGISTER_H

#include "table/slot.h"

/* Enter this process as an owner. Under table->lock. As owner_enter. */
int register_owner(inv_table *table);

/* Enter this process as an owner, and register. Under table->lock. 0; -EEXIST; -ENOSPC;
 * -EPERM a hold stands. */
int register_slot(inv_table *table, const struct registration *registration, struct slot_ref *ref);

/* A hold stands, and this is not nested in a live invocation: it must not start. */
bool register_is_held(const inv_table *table, const struct registration *registration);

#endif

/* Registering: what create, get, enter and begin have in common. */
#ifndef REGISTER_H
#define REGISTER_H

#include "api/event.h"

/* Register and give the owned handle. parent: the caller's current invocation.
 * Errors as inv_event_create. id NULL: a fresh one. */
int register_event(inv_table *table, const uint8_t *id, enum inv_kind kind, const char *name,
                   inv_event **out);

/* The context's event: the one there is, or a new one; a NULL id: a fresh one. */
int register_context(inv_table *table, const uint8_t *id, inv_event **out);

/* Register with everything given, and give the handle; owned as in struct inv_event. */
struct registration;
int register_handle(inv_table *table, const struct registration *registration, bool owned,
                    inv_event **out);

/* Not cancellable: outside any context. 0, -EINTR. */
int plain_sleep(int64_t duration_ns);

#endif

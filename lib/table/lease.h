/*
 * Who holds which lease of a table (os/pid_namespace.h), and what follows: does a broker serve
 * it, and has it still a name.
 *
 * The lease on the first byte is the broker's. An owner whose PID namespace is not that of the
 * table's maker holds one behind the end of the segment (owner.c).
 */
#ifndef LEASE_H
#define LEASE_H

#include "table/table.h"

enum { LEASE_BROKER = 0 };
off_t lease_of_owner(const inv_table *table, uint32_t index);

/* A descriptor to hold leases through, not to be handed on. -errno. */
int lease_open(const inv_table *table);

/* Close a descriptor of the segment, which gives back what is held through it. A host program
 * may have closed it and opened something else there: that stays open. */
void lease_close(const inv_table *table, int fd);

/* Does an owner hold its lease: 1, 0, or -ESTALE: the table's descriptor was closed by its host. */
int lease_owner_held(const inv_table *table, uint32_t index);

/* Whether a broker holds its lease: as lease_owner_held. */
int table_has_broker(const inv_table *table);

/* The broker can notice that an owner dies, as far as is known: it is of this PID namespace, and
 * was not stopped in the last 50 ms. */
bool table_broker_can_watch(inv_table *table);

/* A broker holds its lease, and can watch. */
bool table_broker_watches(inv_table *table);

/* A broker of this PID namespace holds its lease, or did in the last 50 ms: costs no system call
 * then. It may be stopped. */
bool table_broker_watches_lately(inv_table *table);

/* Its name is gone or names another segment, and no broker hands it over; or it was cut short. */
bool table_abandoned(const inv_table *table);

/* The same, as of the last 50 ms. */
bool table_abandoned_lately(inv_table *table);

/* At registration: start a broker where there is none. At most once a second. An error is
 * not the caller's: the table works without one. */
void table_ensure_broker(inv_table *table);

#endif

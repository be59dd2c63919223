/* A newcomer to a table that has lost its name: see newcomer.c. */
#ifndef TABLE_HANDOVER_H
#define TABLE_HANDOVER_H

/* The descriptor of the live table of that name, from the broker that serves it: the
 * caller's own, else another user's. -ENOENT there is none; -errno. */
int handover_receive(const char *name);

/* The same, of other users' brokers alone. */
int handover_receive_from_others(const char *name);

#endif

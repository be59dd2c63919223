/* A newcomer to a table that has lost its name: see newcomer.c. */
#ifndef NEWCOMER_H
#define NEWCOMER_H

/* The descriptor of the live table of that name, from the broker that serves it: the
 * caller's own, else another user's. -ENOENT there is none; -errno. */
int newcomer_ask(const char *name);

/* The same, of other users' brokers alone. */
int newcomer_ask_others(const char *name);

#endif

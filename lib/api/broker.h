/*
 * What only the broker may do: create and adopt a table, sweep after the dead,
 * take over what their supervisors left, and retire what has ended.
 * The one internal header that cmd/invbroker includes.
 */
#ifndef BROKER_H
#define BROKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "invctl-supervisor.h"

struct broker_create {
	const char *name;
	uint32_t capacity; /* 0: the default */
	bool shared;       /* group may open it: mode 0660 */
	gid_t gid;
};

/* Make the table and publish its name, or attach to the one there is. In one that is made the hold
 * stands of which there is a copy in the state directory.
 * *created tells which. 0; -ENOSPC /dev/shm is too full (nothing is left); as inv_open. */
int broker_open(const struct broker_create *create, inv_table **out, bool *created);

/* Become the broker: take its lease, enter as owner, write pid, version and retention into the
 * header. 0; -EBUSY another broker holds the lease. */
int broker_serve(inv_table *table, int64_t retain_ns);

/* Take pid and entry out of the header: others wait for the lease instead of counting on it. */
void broker_leaving(inv_table *table);

/* Give the lease back; the table stays for the next broker. */
void broker_unserve(inv_table *table);

/* The descriptor of the segment, to hand over and to watch; do not close it. */
int broker_table_fd(inv_table *table);

/* Store the hold in the state directory, or remove it there, where that has not been done. 0;
 * -errno: call again later. */
int broker_keep_hold(inv_table *table);

/* A hold stands, or what is stored of it is not up to date: the table must stay. */
bool broker_hold_needs_table(const inv_table *table);

/* Block until there was a change (an owner enters, something has ended, the hold, a request of an
 * orphan) since *seen, which is updated. Called by one thread. */
void broker_wait_notification(inv_table *table, uint32_t *seen);

/* The owners, those that are entering included: call each with its index, its generation
 * and its pid. An owner of another PID namespace is given with pid 0 and can't be watched; where it
 * holds a lease that can be looked at. */
struct broker_owner {
	uint32_t index;
	uint64_t generation;
	pid_t pid;
	bool leased;
};
void broker_each_owner(inv_table *table, void (*each)(const struct broker_owner *, void *),
                       void *arg);

/* A pidfd of that owner, verified to be the same process. -ESRCH it is dead. */
int broker_owner_pidfd(inv_table *table, const struct broker_owner *owner);

/* A leased owner holds its lease no more: it has died, or left. */
bool broker_owner_lapsed(inv_table *table, const struct broker_owner *owner);

/*
 * Sweep after every owner that is dead: what it owned becomes lost and its
 * waiters wake; an invocation of `run` whose action lives is passed to adopt,
 * owned by the broker from then on. Frees the owners' entries.
 */
void broker_sweep(inv_table *table, void (*adopt)(inv_invocation *, void *), void *arg);

/* The same for the owners with these indices alone. */
void broker_sweep_owners(inv_table *table, const uint32_t *indices, size_t count,
                         void (*adopt)(inv_invocation *, void *), void *arg);

/* Adopt every orphan that a former broker owned or that a sweep without a broker
 * left; wake the waiters of what is terminal. Once, at the start. */
void broker_recover(inv_table *table, void (*adopt)(inv_invocation *, void *), void *arg);

/* A pass of retiring, zeroed before its first turn. */
struct broker_retirement {
	int64_t next_ns; /* after the last turn: the monotonic time of the next pass; INV_FOREVER:
	                  * nothing that has ended is left */

	/* broker_retire's own */
	uint64_t *marks; /* a bit for each slot: it has a live descendant */
	int64_t began_ns;
	uint64_t steps; /* slots that all passes have read */
	uint32_t index; /* the slot with which the next turn goes on */
	bool freeing;   /* the second half: all is marked */
};

/*
 * Free what ended longer ago than retain_ns, and has no live descendant, until the monotonic
 * time until_ns (INV_FOREVER: without a limit). forget is called with the id of each, while it is
 * still taken. true: the turn is over, and another one must go on with the pass.
 */
bool broker_retire(inv_table *table, struct broker_retirement *pass, int64_t retain_ns,
                   int64_t until_ns, void (*forget)(const uint8_t id[16], void *), void *arg);

/* The abstract socket of the broker of a table; its address length, or -EINVAL. */
struct sockaddr_un;
int broker_socket_address(const char *name, uid_t uid, struct sockaddr_un *address);

#endif

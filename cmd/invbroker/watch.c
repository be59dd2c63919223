/*
 * A pidfd for each owner; it becomes readable when the process has ended.
 *
 * Descriptors are limited, and the broker needs some for other things. While there are more owners
 * than descriptors, all owners are checked every SWEEP_ALL_EVERY_NS. Owners of another PID
 * namespace have no pidfd here: while there are any, their leases are checked every
 * LEASES_EVERY_NS, and less and less often where a dead one leaves an action that may live. Nothing
 * else in the broker is periodic.
 *
 * An owner is known by index and generation. One that has left is missing in the next
 * refresh, and its pidfd is closed then.
 *
 * One sweep goes through the whole table, however many owners have died. So that those that die
 * together are swept together, a sweep follows the one before after SWEEP_EVERY_NS at the earliest.
 */
#include "invbroker/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "invbroker/loop.h"
#include "invbroker/report.h"

#define SWEEP_ALL_EVERY_NS INT64_C(50000000)
#define SWEEP_EVERY_NS INT64_C(5000000)
#define LEASES_EVERY_NS INT64_C(50000000)
#define LEASES_SELDOM_NS INT64_C(3200000000)

enum { DESCRIPTORS_RESERVED = 128 };

struct watched {
	struct loop_source source; /* first: a source is its watched */
	uint64_t generation;
	uint32_t index;
	uint32_t round; /* the refresh that saw it last */
};

static inv_table *table;
static void (*adopt_orphan)(inv_invocation *, void *);
static void *adopt_arg;
static struct watched **watched; /* by owner index */
static uint32_t watched_size;
static size_t watched_count, watched_limit, descriptor_limit;
static size_t unwatched;
static size_t leased; /* owners of other PID namespaces */
static uint32_t round_number;
static rlim_t usual_limit;
static uint32_t *dead; /* owners that have ended, by index */
static size_t dead_count, dead_room;
static bool refresh_due, sweep_all_due, leases_due, lease_lapsed, limit_reported;
static int64_t next_sweep_ns, next_sweep_all_ns, next_leases_ns;
static int64_t leases_every_ns = LEASES_EVERY_NS;

/* In a child, before it executes a stop command: programs that use select(2), or close all
 * descriptors one by one, need the usual limit. */
static void restore_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = usual_limit;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		watched_limit = DESCRIPTORS_RESERVED;
		return;
	}
	usual_limit = limit.rlim_cur;
	pthread_atfork(NULL, NULL, restore_descriptor_limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	descriptor_limit = (size_t)limit.rlim_cur;
	watched_limit = descriptor_limit > (size_t)2 * DESCRIPTORS_RESERVED
	                        ? descriptor_limit - DESCRIPTORS_RESERVED
	                        : descriptor_limit / 2;
}

int watch_open(inv_table *watched_table, void (*adopt)(inv_invocation *, void *), void *arg)
{
	table = watched_table;
	adopt_orphan = adopt;
	adopt_arg = arg;
	raise_descriptor_limit();
	refresh_due = true;
	return 0;
}

void watch_refresh(void)
{
	refresh_due = true;
	leases_every_ns = LEASES_EVERY_NS;
}

static void forget(uint32_t index)
{
	struct watched *entry = watched[index];

	loop_remove(&entry->source);
	close(entry->source.fd);
	free(entry);
	watched[index] = NULL;
	watched_count--;
}

static void note_dead(uint32_t index)
{
	if (dead_count == dead_room) {
		size_t room = dead_room ? 2 * dead_room : 64;
		uint32_t *grown = realloc(dead, room * sizeof(*grown));
		if (!grown) {
			sweep_all_due = true;
			return;
		}
		dead = grown;
		dead_room = room;
	}
	dead[dead_count++] = index;
}

static void owner_ended(struct loop_source *source)
{
	uint32_t index = ((struct watched *)source)->index;

	forget(index);
	note_dead(index);
}

static bool make_room(uint32_t index)
{
	if (index < watched_size)
		return true;
	uint32_t size = watched_size ? watched_size : 64;
	while (size <= index)
		size *= 2;
	struct watched **grown = realloc(watched, size * sizeof(struct watched *));
	if (!grown)
		return false;
	memset(grown + watched_size, 0, (size - watched_size) * sizeof(struct watched *));
	watched = grown;
	watched_size = size;
	return true;
}

/* 0, or why it can't be watched. */
static int start_watching(const struct broker_owner *owner)
{
	if (watched_count >= watched_limit)
		return -EMFILE;
	int pidfd = broker_owner_pidfd(table, owner);
	if (pidfd < 0)
		return pidfd;
	struct watched *entry = calloc(1, sizeof(*entry));
	if (!entry) {
		close(pidfd);
		return -ENOMEM;
	}
	*entry = (struct watched){.source = {.fd = pidfd, .ready = owner_ended},
	                          .generation = owner->generation,
	                          .index = owner->index,
	                          .round = round_number};
	int error = loop_add(&entry->source);
	if (error) {
		close(pidfd);
		free(entry);
		return error;
	}
	watched[owner->index] = entry;
	watched_count++;
	return 0;
}

static void see_leased(const struct broker_owner *owner)
{
	leased++;
	if (leases_due && broker_owner_lapsed(table, owner)) {
		lease_lapsed = true;
		note_dead(owner->index);
	}
}

static void see_owner(const struct broker_owner *owner, void *arg)
{
	(void)arg;
	if (owner->leased)
		see_leased(owner);
	if (owner->pid == 0 || owner->pid == getpid())
		return;
	if (!make_room(owner->index)) {
		unwatched++;
		return;
	}
	struct watched *entry = watched[owner->index];
	if (entry && entry->generation == owner->generation) {
		entry->round = round_number;
		return;
	}
	if (entry)
		forget(owner->index);
	int error = start_watching(owner);
	if (error == -ESRCH)
		note_dead(owner->index);
	else if (error)
		unwatched++;
}

static void forget_departed(void)
{
	for (uint32_t index = 0; index < watched_size; index++)
		if (watched[index] && watched[index]->round != round_number)
			forget(index);
}

static void report_limit(void)
{
	if (unwatched == 0 || limit_reported)
		return;
	limit_reported = true;
	report("%zu owners can't be watched one by one, for want of descriptors, and are looked "
	       "after every 50 ms; raise the limit (LimitNOFILE=, ulimit -n, now %zu) to save the "
	       "wake-ups",
	       unwatched, descriptor_limit);
}

static void refresh(void)
{
	refresh_due = false;
	round_number++;
	unwatched = 0;
	leased = 0;
	broker_each_owner(table, see_owner, NULL);
	forget_departed();
	report_limit();
}

static void sweep(int64_t now_ns)
{
	if (sweep_all_due)
		broker_sweep(table, adopt_orphan, adopt_arg);
	else
		broker_sweep_owners(table, dead, dead_count, adopt_orphan, adopt_arg);
	sweep_all_due = false;
	dead_count = 0;
	/* A sweep that frees an owner notifies the broker, and watch_refresh ends this. */
	if (lease_lapsed && leases_every_ns < LEASES_SELDOM_NS)
		leases_every_ns *= 2;
	lease_lapsed = false;
	next_sweep_ns = now_ns + SWEEP_EVERY_NS;
	next_sweep_all_ns = now_ns + SWEEP_ALL_EVERY_NS;
	/* An owner that could not be swept is found dead again by this. */
	refresh();
}

static void check_leases(int64_t now_ns)
{
	leases_due = true;
	refresh();
	leases_due = false;
	next_leases_ns = now_ns + leases_every_ns;
}

int64_t watch_step(int64_t now_ns)
{
	if (leased > 0 && now_ns >= next_leases_ns)
		check_leases(now_ns);
	else if (refresh_due)
		refresh();
	if (unwatched > 0 && now_ns >= next_sweep_all_ns)
		sweep_all_due = true;
	if ((dead_count > 0 || sweep_all_due) && now_ns >= next_sweep_ns)
		sweep(now_ns);
	if (dead_count > 0 || sweep_all_due)
		return next_sweep_ns;
	return loop_earlier(unwatched > 0 ? next_sweep_all_ns : INV_FOREVER,
	                    leased > 0 ? next_leases_ns : INV_FOREVER);
}

/*
 * The broker as far as it watches: a thread that sleeps on the news, a loop that
 * watches the owners it finds, and a sweep after whoever has died. Nothing in it looks
 * again after a time, so that whatever it does it was woken for.
 */
#include "crash.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os/clock.h"
#include "table/owner.h"

enum { WATCHED_MAX = 16, NEWS = 0 };

static struct pollfd watched[1 + WATCHED_MAX];
static struct broker_owner owners[1 + WATCHED_MAX];
static nfds_t watched_count = 1;
static bool look_again; /* an entry was swept: if it is there still, it has changed meanwhile */

static void *hear(void *table)
{
	uint32_t seen = 0;

	for (;;) {
		broker_wait_notification(table, &seen);
		eventfd_write(watched[NEWS].fd, 1);
	}
	return NULL;
}

static void watch_owner(const struct broker_owner *owner, void *arg)
{
	inv_table *table = arg;

	for (nfds_t i = 1; i < watched_count; i++)
		if (owners[i].index == owner->index && owners[i].generation == owner->generation)
			return;
	int pidfd = broker_owner_pidfd(table, owner);
	if (pidfd < 0) {
		look_again = true;
		broker_sweep_owners(table, &owner->index, 1, NULL, NULL);
	} else if (watched_count <= WATCHED_MAX) {
		owners[watched_count] = *owner;
		watched[watched_count++] = (struct pollfd){.fd = pidfd, .events = POLLIN};
	}
}

static void sweep_ended_owners(inv_table *table)
{
	for (nfds_t i = 1; i < watched_count;) {
		uint32_t index = owners[i].index;
		if (watched[i].revents == 0) {
			i++;
			continue;
		}
		close(watched[i].fd);
		watched[i] = watched[--watched_count];
		owners[i] = owners[watched_count];
		broker_sweep_owners(table, &index, 1, NULL, NULL);
	}
}

static void watcher_main(struct scene *scene)
{
	pthread_t thread;
	eventfd_t count;

	watched[NEWS] = (struct pollfd){.fd = eventfd(0, EFD_NONBLOCK), .events = POLLIN};
	if (pthread_create(&thread, NULL, hear, scene->table) != 0)
		_exit(1);
	for (;;) {
		do {
			look_again = false;
			broker_each_owner(scene->table, watch_owner, scene->table);
		} while (look_again);
		poll(watched, watched_count, -1);
		eventfd_read(watched[NEWS].fd, &count);
		sweep_ended_owners(scene->table);
	}
}

/* Until it sleeps on the news. */
void watcher_start(struct scene *scene)
{
	if (!scene->operation->watched)
		return;
	scene->watcher = scene_fork();
	if (scene->watcher == 0)
		watcher_main(scene);
	while (atomic_load(&scene->table->header->wake_wanted) == 0)
		sched_yield();
}

/* Anything that a dead process owns, or could. */
static bool something_is_left(const struct scene *scene)
{
	const inv_table *table = scene->table;
	struct process_identity identity;
	uint64_t word;

	for (uint32_t i = 0; i < table->geometry.slots; i++) {
		enum slot_state state = control_state(word = atomic_load(&table->control[i]));
		uint64_t owner_word;
		if (state != SLOT_FREE && state != SLOT_DONE &&
		    owner_life(table, control_owner(word), &owner_word) == PROCESS_DEAD)
			return true;
	}
	for (uint32_t i = 1; i < table->geometry.owners; i++)
		/* A claimed entry owns nothing, and has no start time yet. */
		if (owner_read(table, i, &identity) != 0 && identity.start != 0 &&
		    process_life(&identity) == PROCESS_DEAD)
			return true;
	return false;
}

void watcher_sees_to_it(struct scene *scene)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_MS * INT64_C(1000000);

	if (scene->watcher <= 0)
		return;
	while (something_is_left(scene) && clock_monotonic_ns() < until_ns)
		sched_yield();
	expect(scene, !something_is_left(scene), "the broker sleeps, and the dead own something");
	scene_end_process(&scene->watcher);
}

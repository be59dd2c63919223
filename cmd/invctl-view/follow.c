/* Waiting for more of a transcript: see follow.h. */
#include "invctl-view/follow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "os/state_directory.h"

enum { UNWATCHED_MS = 250, EVENTS_BYTES = 4096 };

static void *wait_for_end(void *arg)
{
	struct follow *follow = arg;
	int status;

	do
		status = inv_wait(follow->table, follow->id, INV_FOREVER);
	while (status == -EINTR || status == -ETIMEDOUT);
	atomic_store(&follow->ended, true);
	eventfd_write(follow->end, 1);
	return NULL;
}

void follow_begin(struct follow *follow, inv_table *table, const char *table_name,
                  const uint8_t id[16])
{
	pthread_t thread;

	follow->table = table;
	follow->table_name = table_name;
	memcpy(follow->id, id, sizeof(follow->id));
	follow->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	follow->end = eventfd(0, EFD_CLOEXEC);
	atomic_init(&follow->ended, !table);
	if (table && pthread_create(&thread, NULL, wait_for_end, follow) == 0)
		pthread_detach(thread);
}

/* A name below the directory, by its descriptor, so that the directory can not be exchanged
 * meanwhile. */
static bool watch(const struct follow *follow, int directory, const char *name, uint32_t events)
{
	char path[STATE_NAME_BYTES + 40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory, name);
	return inotify_add_watch(follow->notify, path, events) >= 0 || errno == ENOENT;
}

bool follow_arm(struct follow *follow)
{
	static const char *const suffixes[] = {"log", "out"};
	char name[STATE_NAME_BYTES];
	bool ended = atomic_load(&follow->ended);
	int directory = state_directory_open(follow->table_name);
	bool watched = directory >= 0 && follow->notify >= 0 &&
	               watch(follow, directory, ".", IN_CREATE | IN_MOVED_TO);

	for (size_t i = 0; watched && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		state_file_name(follow->id, suffixes[i], name);
		watched = watch(follow, directory, name, IN_MODIFY | IN_DONT_FOLLOW);
	}
	if (directory >= 0)
		close(directory);
	if (!watched && follow->notify >= 0) {
		close(follow->notify);
		follow->notify = -1;
	}
	return ended;
}

bool follow_wait(struct follow *follow)
{
	struct pollfd sources[] = {{.fd = follow->notify, .events = POLLIN},
	                           {.fd = follow->end, .events = POLLIN},
	                           {.fd = STDOUT_FILENO}};
	char events[EVENTS_BYTES];

	poll(sources, sizeof(sources) / sizeof(sources[0]),
	     follow->notify >= 0 && follow->end >= 0 ? -1 : UNWATCHED_MS);
	while (follow->notify >= 0 && read(follow->notify, events, sizeof(events)) > 0)
		continue;
	return !(sources[2].revents & POLLERR);
}

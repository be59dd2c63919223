/*
 * A descriptor for an event: inv_event_fd.
 *
 * A futex can't be polled, so a thread per event turns its word into an
 * eventfd(2): written while the word is set, read back when it is not. All callers
 * get duplicates of one eventfd, so that closing theirs disturbs no other. The
 * thread ends with the handle, by a word of its own that it sleeps on as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/event.h"
#include "os/clock.h"
#include "os/futex.h"
#include "table/event_word.h"
#include "table/last_check.h"

struct event_watcher {
	struct handle_attachment attachment; /* first: an attachment is its watcher */
	inv_table *table;
	struct slot_ref ref;
	int fd;
	_Atomic uint32_t stop;
	pthread_t thread;
};

static void show(struct event_watcher *watcher, bool set)
{
	uint64_t count = 1;

	/* Non-blocking: it is full, or empty, already. */
	if (set ? write(watcher->fd, &count, sizeof(count))
	        : read(watcher->fd, &count, sizeof(count)))
		return;
}

/* The word, or 0. Once a slice the owner's life is checked; its time is kept over the sleeps,
 * each of which may be shorter. */
static uint64_t word_of_the_living(const struct event_watcher *watcher, int64_t *check_at_ns)
{
	int64_t now_ns = clock_monotonic_ns();

	if (now_ns >= *check_at_ns) {
		*check_at_ns = now_ns + WAIT_SLICE_NS;
		if (event_still_alive(watcher->table, watcher->ref) != 0)
			return 0;
	}
	return event_word_load(watcher->table, watcher->ref);
}

static void *watch(void *arg)
{
	struct event_watcher *watcher = arg;
	uint64_t word = event_word_load(watcher->table, watcher->ref);
	int64_t check_at_ns = clock_monotonic_ns() + WAIT_SLICE_NS;

	while (atomic_load(&watcher->stop) == 0) {
		/* An end is shown as readable too: the reader's check says -ESTALE. */
		bool over = word == 0 || word & EVENT_ENDED;
		show(watcher, over || word & EVENT_SET);
		struct futex_watch words[] = {
		        {.word = &watcher->stop, .seen = 0},
		        {.word = futex_low_half(&watcher->table->event[watcher->ref.index]),
		         .seen = (uint32_t)(word | EVENT_WAITED)},
		};
		if (over)
			futex_wait(&watcher->stop, 0, -1);
		else if (word & EVENT_WAITED ||
		         atomic_compare_exchange_strong(&watcher->table->event[watcher->ref.index],
		                                        &word, word | EVENT_WAITED))
			futex_wait_any(words, 2, check_at_ns);
		word = word_of_the_living(watcher, &check_at_ns);
	}
	return NULL;
}

static int start_thread(struct event_watcher *watcher)
{
	sigset_t all, before;

	/* The host's signals are not this thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&watcher->thread, NULL, watch, watcher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static void end(struct handle_attachment *attachment, bool forked)
{
	struct event_watcher *watcher = (struct event_watcher *)attachment;

	if (!forked) {
		atomic_store(&watcher->stop, 1);
		futex_wake_all(&watcher->stop);
		pthread_join(watcher->thread, NULL);
	}
	close(watcher->fd);
	free(watcher);
}

static int start(inv_event *event)
{
	struct event_watcher *watcher = calloc(1, sizeof(*watcher));

	if (!watcher)
		return -ENOMEM;
	watcher->table = event->table;
	watcher->ref = event->ref;
	watcher->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int error = watcher->fd < 0 ? -errno : 0;
	if (!error) {
		/* What is set already is readable at once. */
		show(watcher, event_word_load(watcher->table, watcher->ref) & EVENT_SET);
		error = start_thread(watcher);
	}
	if (error) {
		if (watcher->fd >= 0)
			close(watcher->fd);
		free(watcher);
		return error;
	}
	watcher->attachment.end = end;
	event->attachment = &watcher->attachment;
	return 0;
}

int inv_event_fd(inv_event *event)
{
	uint64_t word;
	int error = event_living_word_of(event, &word);

	if (error)
		return error;
	last_check_note(event->table, event->ref);
	pthread_mutex_lock(&event->table->lock);
	error = event->attachment ? 0 : start(event);
	const struct event_watcher *watcher = (struct event_watcher *)event->attachment;
	int fd = error ? error : fcntl(watcher->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 && !error)
		fd = -errno;
	pthread_mutex_unlock(&event->table->lock);
	return fd;
}

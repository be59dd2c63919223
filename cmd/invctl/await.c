/*
 * Waiting for the end of invocations.
 *
 * Each invocation has a futex of its own, and waiting on several at once is not
 * possible on every kernel; so await_first gives each a thread. The first that is
 * through posts, and the process ends with the other threads still waiting.
 */
#include "invctl/await.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/message.h"
#include "invctl-exit-status.h"

/* Enough for one waiting call, and little for thousands of them. */
enum { STACK_BYTES = 65536 };

struct waiter {
	inv_table *table;
	const struct target *target;
	int status;
	_Atomic bool ended;
	sem_t *ended_count;
};

int64_t await_until(int64_t timeout_ns)
{
	int64_t until_ns;

	if (timeout_ns == INV_FOREVER ||
	    duration_add(clock_monotonic_ns(), timeout_ns, &until_ns) < 0)
		return INV_FOREVER;
	return until_ns;
}

/* What it exited with; where its record is already gone, what its status stands for. */
static int exit_status_of(inv_table *table, const uint8_t id[16], int status)
{
	struct inv_info info;

	if (inv_info_get(table, id, &info) == 0 && info.wait_status >= 0)
		return info.wait_status;
	return status == INV_CANCELLED ? EXIT_CANCELLED : status == INV_ERROR ? EXIT_INTERNAL : 0;
}

static int64_t left_ns(int64_t until_ns)
{
	if (until_ns == INV_FOREVER)
		return INV_FOREVER;

	int64_t left = until_ns - clock_monotonic_ns();

	return left > 0 ? left : 0;
}

static bool leaves_record(inv_table *table, const uint8_t id[16])
{
	struct inv_info info;

	return inv_info_get(table, id, &info) == 0 &&
	       (info.kind == INV_KIND_RUN || info.kind == INV_KIND_CALL);
}

/* It is not in the table any more. */
static int vanished(const uint8_t id[16], bool recorded)
{
	char id_text[INV_ID_TEXT_BYTES];

	if (!recorded)
		return EXIT_DONE;
	inv_id_format(id, id_text);
	message("invocation %s is gone from the table, with its record: how it ended is not known",
	        id_text);
	return EXIT_INTERNAL;
}

int await_end(inv_table *table, const uint8_t id[16], int64_t until_ns)
{
	bool recorded = leaves_record(table, id);
	int result, status;

	do {
		result = inv_wait(table, id, left_ns(until_ns));
	} while (result == -EINTR);
	if (result == -ETIMEDOUT)
		return AWAIT_TIMED_OUT;
	if (result == -ENOENT)
		return vanished(id, recorded);
	if (result >= 0)
		return exit_status_of(table, id, result);
	if (result == -ESTALE && attach_lost(inv_table_name(table), &status))
		return AWAIT_UNKNOWN;
	message("the end can't be waited for: %s", inv_strerror(result));
	return EXIT_INTERNAL;
}

static void *wait_in_thread(void *arg)
{
	struct waiter *waiter = arg;

	waiter->status = await_end(waiter->table, waiter->target->id, INV_FOREVER);
	waiter->ended = true; /* after the status, which the main thread reads next */
	sem_post(waiter->ended_count);
	return NULL;
}

static int start_thread(struct waiter *waiter)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);

	int error = pthread_create(&thread, &attributes, wait_in_thread, waiter);

	pthread_attr_destroy(&attributes);
	return error;
}

static int wait_for_one(sem_t *ended_count, int64_t until_ns)
{
	struct timespec until = {.tv_sec = LONG_MAX};
	int result;

	if (until_ns != INV_FOREVER) {
		until.tv_sec = until_ns / NS_PER_SECOND;
		until.tv_nsec = until_ns % NS_PER_SECOND;
	}
	do {
		result = until_ns == INV_FOREVER
		                 ? sem_wait(ended_count)
		                 : sem_clockwait(ended_count, CLOCK_MONOTONIC, &until);
	} while (result < 0 && errno == EINTR);
	return result;
}

static int first_ended(const struct waiter *waiters, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (waiters[i].ended)
			return waiters[i].status;
	return AWAIT_TIMED_OUT;
}

/* The threads use waiters and the semaphore until the process ends, so neither is freed. */
int await_first(inv_table *table, const struct targets *targets, int64_t until_ns)
{
	static sem_t ended_count;
	struct waiter *waiters = calloc(targets->count, sizeof(*waiters));
	int error = waiters ? 0 : ENOMEM;

	sem_init(&ended_count, 0, 0);
	for (size_t i = 0; i < targets->count && error == 0; i++) {
		waiters[i].table = table;
		waiters[i].target = &targets->list[i];
		waiters[i].ended_count = &ended_count;
		error = start_thread(&waiters[i]);
	}
	if (error != 0) {
		message("%zu invocations are too many to wait for at once", targets->count);
		return EXIT_INTERNAL;
	}
	wait_for_one(&ended_count, until_ns);
	return first_ended(waiters, targets->count);
}

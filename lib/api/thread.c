/*
 * Threads with an invocation of their own: labthings' ThreadWithInvocationID.
 *
 * A join that passes a cancel on sleeps on two words at once, the caller's event
 * and the thread's end, so that neither is polled for.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "api/context.h"
#include "api/event.h"
#include "api/invocation.h"
#include "os/clock.h"
#include "os/fork.h"
#include "os/futex.h"
#include "protocol/cascade.h"
#include "protocol/shield.h"
#include "table/event_word.h"

struct inv_thread {
	pthread_t thread;
	inv_invocation *invocation; /* the thread ends it */
	inv_event *event;           /* its event, for the holder of the handle */
	int (*run)(void *);
	void *arg;
	int result;
	_Atomic uint32_t ended; /* futex: 1 once result is there */
	unsigned process;       /* fork_generation() of the process that has the thread */
};

static void *thread_main(void *arg)
{
	inv_thread *thread = arg;
	int error = invocation_enter(thread->invocation);

	thread->result = error ? error : thread->run(thread->arg);
	int outcome = thread->result == 0            ? INV_COMPLETED
	              : thread->result == -ECANCELED ? INV_CANCELLED
	                                             : INV_ERROR;
	inv_invocation_end(thread->invocation, outcome);
	/* release: publishes the result; pairs with the joiner's load */
	atomic_store_explicit(&thread->ended, 1, memory_order_release);
	futex_wake_all(&thread->ended);
	return NULL;
}

int inv_thread_start(inv_thread **out, inv_table *table, int (*fn)(void *arg), void *arg)
{
	inv_thread *thread = calloc(1, sizeof(*thread));

	*out = NULL;
	if (!thread)
		return -ENOMEM;
	int error = invocation_register(table, NULL, NULL, &thread->invocation);
	if (error) {
		free(thread);
		return error;
	}
	thread->event = thread->invocation->event;
	event_handle_keep(thread->event);
	thread->process = fork_generation();
	thread->run = fn;
	thread->arg = arg;
	error = -pthread_create(&thread->thread, NULL, thread_main, thread);
	if (error) {
		inv_invocation_end(thread->invocation, INV_ERROR);
		inv_event_put(thread->event);
		free(thread);
		return error;
	}
	*out = thread;
	return 0;
}

void inv_thread_id(const inv_thread *thread, uint8_t id[16])
{
	inv_event_id(thread->event, id);
}

static bool is_of_parent(const inv_thread *thread)
{
	return thread->process != fork_generation();
}

int inv_thread_cancel(inv_thread *thread)
{
	uint8_t id[16];
	uint64_t word;

	if (is_of_parent(thread))
		return -ESTALE;
	if (event_word_of(thread->event, &word) != 0)
		return -EALREADY;
	inv_thread_id(thread, id);
	int error = inv_cancel(thread->event->table, id, 0, NULL);
	return error == -ENOENT ? -EALREADY : error;
}

static void reap(inv_thread *thread, int *result)
{
	pthread_join(thread->thread, NULL);
	if (result)
		*result = thread->result;
	inv_event_put(thread->event);
	free(thread);
}

/* acquire: pairs with the thread's release of its result */
static bool has_ended(const inv_thread *thread)
{
	return atomic_load_explicit(&thread->ended, memory_order_acquire) != 0;
}

int inv_thread_join(inv_thread *thread, int *result)
{
	if (is_of_parent(thread))
		return -ESTALE;
	while (!has_ended(thread)) {
		int error = futex_wait(&thread->ended, 0, -1);
		if (error)
			return error;
	}
	reap(thread, result);
	return 0;
}

/* Sleep until the thread has ended or the caller's event differs from word. */
static int wait_for_either(inv_thread *thread, inv_event *event, uint64_t word)
{
	struct futex_watch watch[] = {
	        {.word = &thread->ended, .seen = 0},
	        {.word = futex_low_half(&event->table->event[event->ref.index]),
	         .seen = (uint32_t)word},
	};
	int error = futex_wait_any(watch, 2, clock_monotonic_ns() + WAIT_SLICE_NS);

	return error == -ETIMEDOUT ? 0 : error;
}

/* The caller's request is the thread's too. The cascade may have passed it on already, or be about
 * to: it is one call. */
static void pass_on(inv_thread *thread, uint64_t call)
{
	const struct escalation_steps nothing = {0};
	struct request request = {.cause = INV_CAUSE_PARENT, .call = call ? call : request_call()};
	int result;

	cascade_request(thread->event->table, &thread->event->ref, 1, &request, false, &nothing,
	                &result);
}

/* Take the caller's request, if there is one. *call: the number of the call that made it. */
static bool take_request(inv_event *event, uint64_t *call)
{
	uint64_t word;

	*call = event_word_of(event, &word) == 0 && word & EVENT_SET
	                ? request_call_of(event->table, event->ref, word)
	                : 0;
	return event_take(event) == -ECANCELED;
}

int inv_thread_join_propagate(inv_thread *thread, int *result)
{
	inv_event *event;
	bool cancelled = false;
	uint64_t word, call;

	if (is_of_parent(thread))
		return -ESTALE;
	if (context_event(&event) != 0)
		return inv_thread_join(thread, result);
	while (!has_ended(thread)) {
		if (!cancelled && take_request(event, &call)) {
			cancelled = true;
			pass_on(thread, call);
		}
		int error = 0;
		if (cancelled || event_word_of(event, &word) != 0)
			error = futex_wait(&thread->ended, 0, -1);
		else if (!(word & EVENT_SET) || shield_holds(event->table, event->ref))
			error = wait_for_either(thread, event, word);
		if (error && error != -EINTR)
			return error;
		if (error && !cancelled)
			return error;
	}
	/* A request that came with the end is the caller's all the same. */
	if (!cancelled && event_take(event) == -ECANCELED)
		cancelled = true;
	reap(thread, result);
	return cancelled ? -ECANCELED : 0;
}

/*
 * Contexts: a stack per thread, and below it the environment's INVCTL_ID.
 *
 * A context is the counterpart of Python's context variable in
 * labthings_fastapi.invocation_contexts. An invocation may be ended from another
 * thread than the one that began it; its context is then only marked as left,
 * and dropped by the next call of its own thread.
 *
 * The environment's event is found once and kept for the process, with the place at
 * which INVCTL_ID stood: a changed environment differs there, which costs a check two
 * loads instead of a secure_getenv(3).
 */
#include "api/context.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/environment.h"
#include "os/fork.h"
#include "table/event_word.h"

_Thread_local inv_context *context_innermost;
_Atomic(struct context_environment *) context_environment;

static pthread_mutex_t environment_lock = PTHREAD_MUTEX_INITIALIZER;

/* The event goes with the last of the two: another thread that ends the invocation must not take
 * it from this one, which may be asleep in it. */
static void release(inv_context *context)
{
	if (atomic_fetch_sub(&context->holders, 1) != 1)
		return;
	inv_event_put(context->event);
	free(context);
}

/* Drop what other threads have marked as left. */
static inv_context *current(void)
{
	while (context_innermost &&
	       atomic_load_explicit(&context_innermost->left, memory_order_acquire)) {
		inv_context *context = context_innermost;
		context_innermost = context->outer;
		release(context);
	}
	return context_innermost;
}

static int environment_id(uint8_t id[16])
{
	const char *text = secure_getenv("INVCTL_ID");

	if (!text || !*text)
		return -ENXIO;
	return inv_id_parse(text, id);
}

static int find_environment_event(const uint8_t id[16], inv_event **event)
{
	inv_table *table;
	int error = table_resolve(NULL, false, &table);

	return error ? error : event_handle_find(table, id, event);
}

/* Under environment_lock. */
static int keep_environment(inv_event *event)
{
	struct context_environment *made = malloc(sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->event = event;
	made->place = variable_place_of("INVCTL_ID=");
	made->former = atomic_load(&context_environment);
	/* release: publishes the rest; pairs with the load in a check */
	atomic_store_explicit(&context_environment, made, memory_order_release);
	return 0;
}

/* Kept: the event found for the last id, unless it has ended. */
static int environment(inv_event **event)
{
	uint8_t id[16];
	uint64_t word;
	int error = environment_id(id);

	if (error)
		return error;
	pthread_mutex_lock(&environment_lock);
	struct context_environment *kept = atomic_load(&context_environment);
	*event = kept ? kept->event : NULL;
	if (!kept || memcmp(kept->event->id, id, 16) != 0 || event_word_of(kept->event, &word) != 0)
		error = find_environment_event(id, event);
	if (!error && (!kept || *event != kept->event || !variable_unchanged(&kept->place)))
		error = keep_environment(*event);
	pthread_mutex_unlock(&environment_lock);
	return error;
}

int context_event(inv_event **event)
{
	inv_context *context = current();

	if (context) {
		*event = context->event;
		return 0;
	}
	return environment(event);
}

/* A thread that ends gives up its hold of all its contexts: another thread may leave one of them
 * later, and frees it then. */
static void leave_at_exit(void *unused)
{
	(void)unused;
	while (context_innermost) {
		inv_context *context = context_innermost;
		context_innermost = context->outer;
		release(context);
	}
}

static pthread_key_t exit_key;
static bool exit_key_made;

__attribute__((constructor)) static void make_exit_key(void)
{
	exit_key_made = pthread_key_create(&exit_key, leave_at_exit) == 0;
}

inv_context *context_push(inv_event *event)
{
	inv_context *context = calloc(1, sizeof(*context));

	if (!context)
		return NULL;
	context->event = event;
	context->thread = pthread_self();
	context->process = fork_generation();
	atomic_init(&context->holders, 2);
	atomic_init(&context->left, false);
	context->outer = current();
	context_innermost = context;
	/* Any value but NULL: it has the key's function called. */
	if (!context->outer && exit_key_made)
		pthread_setspecific(exit_key, &context_innermost);
	return context;
}

void context_drop(inv_context *context)
{
	bool own = pthread_equal(context->thread, pthread_self()) &&
	           context->process == fork_generation();

	atomic_store_explicit(&context->left, true, memory_order_release);
	if (own) {
		/* Usually the innermost. One that is not stays marked until it is. */
		current();
	} else if (context->process != fork_generation()) {
		release(context); /* the stack that held it is the parent's */
	}
	release(context);
}

int inv_context_leave(inv_context *context)
{
	if (context->process == fork_generation()) {
		if (!pthread_equal(context->thread, pthread_self()))
			return -EPERM;
		if (current() != context)
			return -EBUSY;
	}
	context_drop(context);
	return 0;
}

int inv_current_id(uint8_t id[16])
{
	inv_context *context = current();

	if (!context)
		return environment_id(id);
	inv_event_id(context->event, id);
	return 0;
}

bool context_parent(inv_table *table, uint8_t id[16], struct slot_ref *ref, bool *known)
{
	inv_context *context = current();
	inv_event *event;

	*known = false;
	if (inv_current_id(id) != 0)
		return false;
	if (!context && environment(&event) != 0)
		return false; /* a broken context is no parent */
	if (context)
		event = context->event;
	/* A parent in another table is named, but can't pass a request on. */
	if (event->table && event->table->epoch == table->epoch) {
		*ref = event->ref;
		*known = true;
	}
	return true;
}

static void leave_all(void)
{
	/* What the stack held of each is released by inv_context_leave. */
	context_innermost = NULL;
}

FORK_HANDLER(.order = FORK_CONTEXT, .lock = &environment_lock, .in_child = leave_all)

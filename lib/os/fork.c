/*
 * Around fork(2): see fork.h.
 *
 * Nothing is checked on the hot path: the child's handlers spoil each handle (handle.c), and
 * slow paths compare the generation.
 */
#include "os/fork.h"

#include <stdatomic.h>
#include <stddef.h>

static struct fork_handler *handlers; /* by their order */
static _Atomic unsigned generation = 1;

unsigned fork_generation(void)
{
	return atomic_load_explicit(&generation, memory_order_relaxed);
}

static void before_fork(void)
{
	for (struct fork_handler *handler = handlers; handler; handler = handler->next) {
		if (handler->lock)
			pthread_mutex_lock(handler->lock);
		if (handler->take)
			handler->take();
	}
}

static void release_all(void)
{
	for (struct fork_handler *handler = handlers; handler; handler = handler->next) {
		if (handler->release)
			handler->release();
		if (handler->lock)
			pthread_mutex_unlock(handler->lock);
	}
}

static void after_in_child(void)
{
	atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
	for (struct fork_handler *handler = handlers; handler; handler = handler->next)
		if (handler->in_child)
			handler->in_child();
	release_all();
}

void fork_register(struct fork_handler *handler)
{
	struct fork_handler **link = &handlers;

	if (!handlers)
		pthread_atfork(before_fork, release_all, after_in_child);
	while (*link && (*link)->order <= handler->order)
		link = &(*link)->next;
	handler->next = *link;
	*link = handler;
}

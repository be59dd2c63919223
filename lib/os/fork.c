/*
 * What a forked child must know: see fork.h.
 *
 * pthread_atfork(3) handlers count the fork and take every lock of the library
 * around it, so that the child finds them free. Nothing is checked on the hot
 * path: the child's handler spoils each handle's calm word (event.c), and the
 * slow path finds the counter changed.
 */
#include "os/fork.h"

#include <stdatomic.h>

#include "api/context.h"
#include "api/event.h"
#include "table/owner.h"

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static bool installed; /* under list_lock: pthread_once(3) would cost a system call */
static inv_table *tables;
static _Atomic unsigned generation = 1;

unsigned fork_generation(void)
{
	return atomic_load_explicit(&generation, memory_order_relaxed);
}

/* In the order in which they nest elsewhere. */
static void before_fork(void)
{
	context_fork_lock();
	default_table_fork_lock();
	pthread_mutex_lock(&list_lock);
	for (inv_table *table = tables; table; table = table->next)
		pthread_mutex_lock(&table->lock);
}

static void after_in_parent(void)
{
	for (inv_table *table = tables; table; table = table->next)
		pthread_mutex_unlock(&table->lock);
	pthread_mutex_unlock(&list_lock);
	default_table_fork_unlock();
	context_fork_unlock();
}

static void after_in_child(void)
{
	atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
	for (inv_table *table = tables; table; table = table->next) {
		event_handles_disown(table, true);
		owner_fork_child(table);
		pthread_mutex_unlock(&table->lock);
	}
	context_leave_all();
	pthread_mutex_unlock(&list_lock);
	default_table_fork_unlock();
	context_fork_unlock();
}

void fork_watch(inv_table *table)
{
	pthread_mutex_lock(&list_lock);
	if (!installed) {
		pthread_atfork(before_fork, after_in_parent, after_in_child);
		installed = true;
	}
	table->previous = NULL;
	table->next = tables;
	if (tables)
		tables->previous = table;
	tables = table;
	pthread_mutex_unlock(&list_lock);
}

void fork_unwatch(inv_table *table)
{
	pthread_mutex_lock(&list_lock);
	if (table->previous)
		table->previous->next = table->next;
	else
		tables = table->next;
	if (table->next)
		table->next->previous = table->previous;
	pthread_mutex_unlock(&list_lock);
}

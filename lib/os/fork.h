/*
 * What fork(2) means for the library: the child owns nothing of its parent's.
 *
 * A file that has a lock, or private state that a child must not use, registers a handler
 * in a constructor. Around every fork all locks are taken, so that the child finds them free.
 */
#ifndef FORK_H
#define FORK_H

#include <pthread.h>

/* The order in which the locks are taken, here as elsewhere. */
enum fork_order { FORK_CONTEXT, FORK_DEFAULT_TABLE, FORK_TABLES, FORK_HANDLES, FORK_GUARD };

struct fork_handler {
	enum fork_order order;
	pthread_mutex_t *lock; /* each of these may be NULL */
	void (*take)(void);    /* further locks, after that one */
	void (*release)(void);
	void (*in_child)(void); /* gives up what is the parent's; the locks are still held */
	struct fork_handler *next;
};

/* From a constructor only: before there is a second thread. */
void fork_register(struct fork_handler *handler);

/* A file's handler: FORK_HANDLER(.order = FORK_GUARD, .lock = &lock) */
#define FORK_HANDLER(...)                                                                          \
	static struct fork_handler fork_handler = {__VA_ARGS__};                                   \
	__attribute__((constructor)) static void register_fork_handler(void)                       \
	{                                                                                          \
		fork_register(&fork_handler);                                                      \
	}

/* Differs in a forked child from what it was in the parent. */
unsigned fork_generation(void);

#endif

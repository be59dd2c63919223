/*
 * The broker's one loop: descriptors that are readable, and times that are due. Without events
 * it sleeps.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>

/* A descriptor to watch. It must stay where it is until it is removed. */
struct loop_source {
	int fd;
	void (*ready)(struct loop_source *source);
};

/* 0, or -errno. */
int loop_open(void);

int loop_add(struct loop_source *source);

/* No call of ready follows. The descriptor stays the caller's to close. */
void loop_remove(struct loop_source *source);

/*
 * The steps after every wake-up, in order, up to one whose function is NULL. A step gets the
 * monotonic time, does what is due, and returns the latest time of its next call; INV_FOREVER:
 * when something has happened. A step with more work than a few milliseconds' does a part of it
 * and returns now_ns, so that the others get their turn.
 */
struct loop_step {
	int64_t (*run)(int64_t now_ns);
};

/* Run until loop_stop. Returns its result. */
int loop_run(const struct loop_step *steps);

/* Let loop_run return once the steps have run. */
void loop_stop(int result);

/* The earlier of two times, either of which may be INV_FOREVER. */
int64_t loop_earlier(int64_t one_ns, int64_t other_ns);

#endif

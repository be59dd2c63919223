/*
 * The broker's one loop: descriptors that became readable, and times that came.
 * Where nothing happens nothing wakes.
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
 * What is done after every wake-up, in order, up to one whose function is NULL.
 * A step gets the monotonic time, does what is due, and returns when it wants to
 * be called again at the latest; INV_FOREVER: when something has happened.
 */
struct loop_step {
	int64_t (*run)(int64_t now_ns);
};

/* Run until loop_stop. Returns what that was given. */
int loop_run(const struct loop_step *steps);

/* Let loop_run return once the steps have run. */
void loop_stop(int result);

/* The earlier of two times, either of which may be INV_FOREVER. */
int64_t loop_earlier(int64_t one_ns, int64_t other_ns);

/* A time and a duration, INV_FOREVER where either is, or where the sum is beyond all times. */
int64_t loop_after(int64_t time_ns, int64_t duration_ns);

#endif

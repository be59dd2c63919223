/* The state of an invocation at a glance: one word, of which the most urgent that holds. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "invctl.h"

/* In the order in which a summary counts them. */
enum state {
	STATE_PENDING,
	STATE_RUNNING,
	STATE_REQUESTED, /* to stop */
	STATE_STOPPING,  /* the request is delivered */
	STATE_OVERDUE,   /* requested over 10 s ago, and not delivered */
	STATE_PAUSED,
	STATE_STOPPED, /* by a signal */
	STATE_SHIELDED,
	STATE_FINISHING,
	STATE_DONE, /* from here on it has ended */
	STATE_CANCELLED,
	STATE_FAILED,
	STATE_LOST,
};

enum { STATE_COUNT = STATE_LOST + 1 };

/* stopped: its command's process is stopped by a signal (process_is_stopped). */
enum state state_of(const struct inv_info *info, bool stopped);

/* "running"; never NULL. */
const char *state_name(enum state state);

/* The escape sequence of its colour; NULL: none. */
const char *state_color(enum state state);

/* With what a failed one left: "failed 3", "failed SIGSEGV". */
void state_format(const struct inv_info *info, enum state state, char *text, size_t size);

/* The command of a run is stopped (state T in /proc; D where a pause has stopped the child for
 * which it waits in vfork(2)). */
bool process_is_stopped(const struct inv_info *info);

/* "pending", "running", …: of a finish command, enum inv_finish_state. */
const char *finish_state_name(int state);

#endif

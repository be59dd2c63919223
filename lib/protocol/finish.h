/* What follows the command of a `run` that does not end with it: see finish.c. */
#ifndef FINISH_H
#define FINISH_H

#include "table/slot.h"

enum finish_state {
	FINISH_NONE,    /* the command runs, or nothing followed it */
	FINISH_DECIDED, /* it has ended; leftovers are waited for, or the finish command is due */
	FINISH_RUNNING, /* the finish command; its process is the action's */
	FINISH_ENDED,   /* it has ended with code */
};

struct finish {
	enum finish_state state;
	struct outcome outcome; /* of the invocation; from FINISH_DECIDED on */
	bool by_signal;         /* code is a signal, not an exit status */
	unsigned code;          /* of the finish command; in FINISH_ENDED */
};

/* By the owner. */
void finish_store(inv_table *table, struct slot_ref ref, const struct finish *finish);

struct finish finish_load(const inv_table *table, struct slot_ref ref);

/* The finish command runs: the invocation is shielded. */
bool finish_shields(const inv_table *table, struct slot_ref ref);

/* It has a finish command that has not ended, and was or will be due: what sweeps after a dead
 * owner leaves it to the broker. */
bool finish_is_owed(const inv_table *table, struct slot_ref ref);

#endif

/* How an invocation ended: the one place that decides an outcome. */
#ifndef LIFECYCLE_H
#define LIFECYCLE_H

#include "table/slot.h"

/* What is known of the end. */
struct ending {
	enum {
		ENDING_LOST, /* no process could see it */
		ENDING_NOT_STARTED,
		ENDING_EXEC_FAILED, /* code: the errno */
		ENDING_EXITED,      /* code: the exit status */
		ENDING_SIGNALLED,   /* code: the signal */
		ENDING_CALL,        /* code: what the program itself said, enum inv_status */
	} how;
	int code;
};

/* Close the event, decide the outcome by the requests until then, and record it.
 * *outcome is what was decided. 0; -ESTALE another process has recorded one. */
int lifecycle_end(inv_table *table, struct slot_ref ref, uint64_t word, const struct ending *ending,
                  struct outcome *outcome);

/* The command has ended, and something follows it (finish.h): decide the outcome by the requests
 * until now. No request is made from here on; lifecycle_end records that outcome. */
void lifecycle_decide(inv_table *table, struct slot_ref ref, const struct ending *ending,
                      struct outcome *outcome);

/* The owner is dead: record it as lost, or cancelled where a request was made, if its
 * control word is still as judged. false: it is not. */
bool lifecycle_lose(inv_table *table, struct slot_ref ref, uint64_t word);

/* The outcome where the table is gone, and with it whether there was a request. */
struct outcome outcome_without_request(const struct ending *ending);

/* What `run` and `wait` exit with. */
int outcome_exit_status(const struct outcome *outcome);

#endif

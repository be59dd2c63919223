/*
 * The signals that `invctl run` minds while it supervises. Handlers only note
 * what came and bump a word, on which inv_run_wait sleeps, so that nothing is
 * done in a handler and no signal is missed between a look and the sleep.
 */
#ifndef SIGNAL_WATCH_H
#define SIGNAL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Note how signals stand, and mind them from now on. What is ignored stays so. */
void signal_watch_begin(void);

/* Bumped by every signal. */
const _Atomic uint32_t *signal_watch_word(void);

#define SIGNAL_BIT(signum) (UINT64_C(1) << (signum))

/* What came since it was last taken, of the signals in which. */
struct signals_arrived {
	uint64_t set;           /* of SIGNAL_BITs */
	uint64_t from_terminal; /* those that a key brought */
};
void signal_watch_take(uint64_t which, struct signals_arrived *arrived);

/* Sleep while the word is as seen, until_ns at most (monotonic; INV_FOREVER). */
void signal_watch_sleep(uint32_t seen, int64_t until_ns);

static inline bool signal_arrived(uint64_t set, int signum)
{
	return (set & SIGNAL_BIT(signum)) != 0;
}

/* Hold all signals back over a fork, so that none finds a child with our handlers. */
void signal_watch_block(void);
void signal_watch_unblock(void);

/* In the child: put dispositions and mask back to what they were at the start. */
void signal_watch_restore(void);

/* Let a stop signal have its usual effect on this process, and mind it again
 * afterwards. whole_group: for the processes of its group too.
 * true: it was stopped, and goes on; false: it could not be stopped. */
bool signal_watch_stop(int signum, bool whole_group);

/* Die by a signal, so that whoever waits sees that. Returns if it is ignored. */
void signal_watch_die(int signum);

#endif

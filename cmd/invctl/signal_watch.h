/*
 * The signals that `invctl run` handles while it supervises. A handler only notes the
 * signal and changes a word, on which inv_run_wait sleeps. So no signal is missed between
 * a check and the sleep.
 */
#ifndef SIGNAL_WATCH_H
#define SIGNAL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Note the dispositions and the mask, and handle signals from now on. Ignored ones stay ignored. */
void signal_watch_begin(void);

/* Changed by every signal. */
const _Atomic uint32_t *signal_watch_word(void);

#define SIGNAL_BIT(signum) (UINT64_C(1) << (signum))

struct signals_arrived {
	uint64_t set;           /* of SIGNAL_BITs */
	uint64_t from_terminal; /* those that a key caused */
};

/* Take the signals that have come, of those in which. */
void signal_watch_take(uint64_t which, struct signals_arrived *arrived);

/* Sleep while the word is as seen, until_ns at most (monotonic; INV_FOREVER). */
void signal_watch_sleep(uint32_t seen, int64_t until_ns);

static inline bool signal_arrived(uint64_t set, int signum)
{
	return (set & SIGNAL_BIT(signum)) != 0;
}

/* Block all signals over a fork, so that no handler runs in the child. */
void signal_watch_block(void);
void signal_watch_unblock(void);

/* In the child: restore the dispositions and the mask of the start. */
void signal_watch_restore(void);

/* Let a stop signal have its default effect on this process, and handle it again
 * afterwards. whole_group: for the processes of its group too.
 * true: it was stopped, and continues; false: it could not be stopped. */
bool signal_watch_stop(int signum, bool whole_group);

/* Die by a signal, so that the parent sees that. Returns if it is ignored. */
void signal_watch_die(int signum);

#endif

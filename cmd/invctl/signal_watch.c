/* The signals that `invctl run` handles: see signal_watch.h. */
#include "invctl/signal_watch.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "common/duration.h"

/* SIGPIPE and SIGTTOU would end or stop a supervisor that prints a message. */
static const int handled[] = {SIGCHLD, SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                              SIGTSTP, SIGCONT, SIGPIPE, SIGTTOU};

enum { HANDLED_COUNT = sizeof(handled) / sizeof(handled[0]) };

static struct sigaction initial[HANDLED_COUNT];
static struct sigaction initial_bus; /* the table's guard handles SIGBUS later */
static sigset_t initial_mask;

static _Atomic uint32_t word;
static _Atomic uint64_t arrived_set, arrived_from_terminal;

static void note(int signum, siginfo_t *info, void *context)
{
	uint64_t bit = SIGNAL_BIT(signum);

	(void)context;
	if (info->si_code == SI_KERNEL)
		atomic_fetch_or(&arrived_from_terminal, bit);
	atomic_fetch_or(&arrived_set, bit);
	atomic_fetch_add(&word, 1);
}

static struct sigaction action_for(int signum)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};

	sigemptyset(&action.sa_mask);
	if (signum == SIGPIPE || signum == SIGTTOU) {
		action.sa_flags = 0;
		action.sa_handler = SIG_IGN;
	} else {
		action.sa_sigaction = note;
	}
	return action;
}

/* With SIGCHLD ignored there would be no exit status, so it is handled anyway. */
static bool left_ignored(size_t at)
{
	return initial[at].sa_handler == SIG_IGN && handled[at] != SIGCHLD &&
	       handled[at] != SIGCONT;
}

void signal_watch_begin(void)
{
	sigset_t ours;

	sigaction(SIGBUS, NULL, &initial_bus);
	sigemptyset(&ours);
	for (size_t i = 0; i < HANDLED_COUNT; i++) {
		struct sigaction action = action_for(handled[i]);

		sigaction(handled[i], &action, &initial[i]);
		if (left_ignored(i))
			sigaction(handled[i], &initial[i], NULL);
		sigaddset(&ours, handled[i]);
	}
	sigprocmask(SIG_UNBLOCK, &ours, &initial_mask);
}

const _Atomic uint32_t *signal_watch_word(void)
{
	return &word;
}

void signal_watch_take(uint64_t which, struct signals_arrived *arrived)
{
	arrived->set = atomic_fetch_and(&arrived_set, ~which) & which;
	arrived->from_terminal = atomic_fetch_and(&arrived_from_terminal, ~which) & arrived->set;
}

void signal_watch_sleep(uint32_t seen, int64_t until_ns)
{
	sigset_t all, before;
	int64_t left_ns = until_ns < 0 ? 0 : until_ns - clock_monotonic_ns();

	if (until_ns >= 0 && left_ns <= 0)
		return;

	struct timespec left = {.tv_sec = left_ns / NS_PER_SECOND,
	                        .tv_nsec = left_ns % NS_PER_SECOND};

	/* Blocked between the check and the sleep, which unblocks them. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (atomic_load(&word) == seen)
		ppoll(NULL, 0, until_ns < 0 ? NULL : &left, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void signal_watch_block(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

void signal_watch_unblock(void)
{
	sigset_t mask = initial_mask;

	for (size_t i = 0; i < HANDLED_COUNT; i++)
		sigdelset(&mask, handled[i]);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

void signal_watch_restore(void)
{
	for (size_t i = 0; i < HANDLED_COUNT; i++)
		sigaction(handled[i], &initial[i], NULL);
	sigaction(SIGBUS, &initial_bus, NULL);
	sigprocmask(SIG_SETMASK, &initial_mask, NULL);
}

bool signal_watch_stop(int signum, bool whole_group)
{
	struct sigaction usual = {.sa_handler = SIG_DFL}, before;

	atomic_fetch_and(&arrived_set, ~SIGNAL_BIT(SIGCONT));
	sigaction(signum, NULL, &before);
	if (before.sa_handler == SIG_IGN && signum != SIGTTOU)
		return false;
	sigaction(signum, &usual, NULL);
	kill(whole_group ? 0 : getpid(), signum);
	sigaction(signum, &before, NULL);
	/* SIGCONT's handler has run before kill(2) returned, if there was a stop at all. */
	return signal_arrived(atomic_load(&arrived_set), SIGCONT);
}

void signal_watch_die(int signum)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t one;

	sigaction(signum, &usual, NULL);
	sigemptyset(&one);
	sigaddset(&one, signum);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(signum);
}

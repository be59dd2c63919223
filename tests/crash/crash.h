/*
 * The kill test of the library: what its parts know of each other.
 *
 *   main.c        shares the operations out to two workers, prints the table
 *   operations*.c the operations: what is there before, what is done, what must hold
 *   trial.c       one operation: step through it, check its states, kill it for real
 *   victim.c      the process that is stepped and killed (ptrace)
 *   peers.c       the processes beside it: waiters, a rival, a helper
 *   watcher.c     the broker as far as it watches
 *   stores.c      the states that a recovery passes through
 *   invariants.c  what must hold of any table after a recovery
 *   scene.c       the table, and what the harness itself holds in it
 *   slice.h       how the library's slices are made short
 */
#ifndef CRASH_H
#define CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/broker.h"
#include "invctl-supervisor.h"
#include "table/slot.h"
#include "table/table.h"

enum {
	IDS = 3,
	WAITERS = 5,
	HELD_MAX = 4,
	STATES_MAX = 1024,
	PATH_MAX_INSTRUCTIONS = 1 << 18,
	CAPACITY = 16,
	PATIENCE_MS = 10000, /* a waiter that has not returned by then hangs */
	NOT_YET = 12345,     /* no result of a call is that */
};

/* What the harness shares with the processes that it starts. */
struct board {
	_Atomic int acted;            /* the victim's call has returned */
	_Atomic int result;           /* with that */
	_Atomic int entered[WAITERS]; /* about to wait */
	_Atomic int returned[WAITERS];
	_Atomic uint32_t rival_turn;    /* futex; 1: try, 2: try again, 3: put and leave */
	_Atomic uint32_t rival_answers; /* futex: how many it has given */
	_Atomic int rival_answer[3];    /* by turn */
};

/* Contents of a segment, each different from the others. */
struct states {
	size_t bytes; /* of one */
	size_t count;
	unsigned char *contents;
	_Atomic size_t *shared_count; /* of a list that another process fills */
};

struct operation;

struct scene {
	const struct operation *operation;
	char name[INV_TABLE_NAME_BYTES];
	char state_directory[64];
	inv_table *table;
	struct board *board;
	unsigned char *pristine; /* the empty table, with the harness as an owner */
	struct states passed;    /* by a recovery (stores.c) */
	pid_t action;            /* a process that a run may have started */
	uint8_t ids[IDS][16];
	bool served; /* by the harness */

	/* what the harness holds */
	inv_event *held;
	inv_invocation *runs[HELD_MAX];
	inv_event *stale; /* of what the victim owned */
	pid_t waiters[WAITERS];
	pid_t rival, helper, watcher;
	uint64_t ended[CAPACITY]; /* control words of what had ended before the recovery */

	/* what the victim holds, in its own memory */
	inv_event *event;
	inv_context *context;
	inv_invocation *invocation;

	/* for the report */
	size_t instructions, kills, missed, states, failures;
	const char *stage;
	size_t place, turn;
	uint64_t address;
};

enum waiter_kind {
	WAITER_EVENT = 1,  /* inv_event_wait of the first id */
	WAITER_END = 2,    /* inv_wait of it */
	WAITER_NOTICE = 4, /* the broker's wait for a notification */
	WAITER_BRIEF = 8,  /* as EVENT and END, again and again for less than a slice */
	WAITER_CHECK = 16, /* inv_event_check of it, which stops while it is paused */
	WAITER_ANY = 31,
};

struct operation {
	const char *name;
	enum {
		OWNER_NONE,
		OWNER_HARNESS,
		OWNER_VICTIM
	} owner; /* of the first id, when it begins */
	unsigned waiters;
	bool rival;     /* another process registers the first id meanwhile */
	bool orphan;    /* what the victim leaves is taken over by the harness as the broker */
	bool watched;   /* a broker that watches is to see to a death, before anything else does */
	bool elsewhere; /* the victim is in a PID namespace of its own, where that is permitted */
	bool late_waiters; /* they would repair themselves what the victim is to repair */
	void (*arrange)(struct scene *scene);
	void (*prepare)(struct scene *scene);
	int (*act)(struct scene *scene);
	void (*helper)(struct scene *scene);
	void (*judge)(struct scene *scene);
	unsigned tells; /* waiters who return by it alone, and at once */
};

extern const struct operation operations_of_events[], operations_of_runs[], operations_of_tables[],
        operations_of_pauses[];

/* Count a failure, and print it, where ok is false. */
void expect(struct scene *scene, bool ok, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* scene.c */
bool scene_open(struct scene *scene);
void scene_close(struct scene *scene);
void scene_remove(pid_t worker); /* its files */
void scene_restore(struct scene *scene, const unsigned char *contents);
void scene_hold(struct scene *scene); /* handles for what the harness owns in the segment */
void scene_let_go(struct scene *scene);
void scene_adopt(inv_invocation *orphan, void *scene);
pid_t scene_fork(void);
pid_t scene_fork_elsewhere(void); /* as the first process of a PID namespace */
void *scene_shared_memory(size_t bytes);
void scene_end_process(pid_t *pid);
bool scene_visible(const struct scene *scene, const uint8_t id[16], enum slot_state *state);
bool states_add(struct states *states, const void *contents);

/* How long a waiter sleeps before it looks again: slice.h. Only what is forked after a
 * change minds it. */
extern int64_t crash_slice_ns;
#define SLICE_SHORT_NS INT64_C(5000000)
#define SLICE_ENDLESS_NS INT64_C(1000000000000)

/* trial.c: everything about one operation. */
void trial(struct scene *scene, size_t kills_max);

/* victim.c */
struct path {
	uint64_t *address; /* of each instruction, in order */
	bool *changed;     /* the one before it has changed the segment */
	size_t count;
};
pid_t victim_start(struct scene *scene);
bool victim_step_through(struct scene *scene, pid_t victim, struct path *path,
                         struct states *states);
bool victim_run_to(struct scene *scene, pid_t victim, const struct path *path, size_t place);
bool victim_carry_on(struct scene *scene, pid_t victim);
void victim_kill(pid_t victim);
void victim_reap(pid_t victim);

/* peers.c */
void waiters_start(struct scene *scene);
bool waiters_return(struct scene *scene, unsigned kinds);
void waiters_end(struct scene *scene);
int rival_tries(struct scene *scene, unsigned turn);
void rival_leaves(struct scene *scene);
void helper_start(struct scene *scene);

/* watcher.c */
void watcher_start(struct scene *scene);
void watcher_sees_to_it(struct scene *scene); /* the victim is dead */

/* stores.c: the states that a recovery from the segment's present state passes through. */
void stores_of_recovery(struct scene *scene);

/* invariants.c */
void invariants_check(struct scene *scene);
void outcomes_note(struct scene *scene);
void outcomes_check(struct scene *scene);
void registrable_check(struct scene *scene);

#endif

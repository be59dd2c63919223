/*
 * The bytes of a table, shared by every process that maps it.
 *
 * A segment is, in this order and each part beginning on a page:
 *
 *   header         one page; the geometry is written once, before the segment has a name
 *   control        a 64-bit control word for each slot: the slot's life (slot.c)
 *   event          a 64-bit event word for each slot: its cancel event (event_word.c)
 *   ids            the id of each slot, 16 bytes: a search for an id needs no more of it
 *   parent index   32 bits for each slot: 1 + the parent's slot; a hint, see cascade.c
 *   owners         an entry for each process that owns slots (owner.c)
 *   slots          the payload
 *   changes        a ring of the last changes of state, for those who watch
 *
 * Everything but the geometry can be written by any process that may open the
 * table, so it is untrusted: read once into a local, checked, and the copy used.
 * Every shared field is an atomic; there are no pointers and no locks in it.
 * Control and event words and ids lie apart from the payload, so that a search or a
 * check touches only the lines that it needs.
 *
 * The slots are used a level at a time, so that few invocations lie close together in
 * a table that is made for many, and a scan of all of them is short (index.h).
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "invctl.h"

/* A test builds another one, to see two versions meet. */
#ifndef INV_LAYOUT_VERSION
#define INV_LAYOUT_VERSION 3
#endif

#define LAYOUT_MAGIC UINT64_C(0x00316c7463766e69) /* "invctl1" */

enum {
	LAYOUT_VERSION = INV_LAYOUT_VERSION,
	LAYOUT_PAGE = 4096,
	CAPACITY_DEFAULT = 16384,
	CAPACITY_MAX = 1048576,
	BUCKET_WIDTH = 16, /* words: two cache lines, fetched as a pair */
	LEVELS_MAX = 4,
	LOWER_WIDTH = 8, /* of a bucket below the last level: one cache line */
	SMALL_CAPACITY =
	        256, /* up to this the table is one bucket, and exactly full at its capacity */
	OWNERS_SPARE =
	        64, /* entries beyond the capacity: the broker, and processes that own none */
	SHIELD_HOLDERS = 3,
	CHANGES = 1024, /* records of the ring; a power of two */
	ORIGIN_BYTES = 40,
};

/*
 * Control word: | generation 30 | adoptions 2 | tag 8 | owner 21 | state 3 |.
 * In SLOT_DONE the owner field holds the outcome, and a bit that says that the history has it
 * (slot.h). Owner 0 is none.
 */
enum slot_state {
	SLOT_FREE = 0,
	SLOT_CLAIMED = 1,
	SLOT_PUBLISHING = 2,
	SLOT_LIVE = 3,
	SLOT_ABORTED = 4,
	SLOT_DONE = 5,
};

/*
 * Event word: | generation 32 | sequence 26 | finishing | paused | waited | ended | delivered | set
 * |. The low half is the futex. The bits that stop a check lie in the word that it loads anyway, so
 * that an action that is not paused pays nothing for the pause.
 */
#define EVENT_SET UINT64_C(1) /* a request is pending: set by set, cleared by consume and clear */
#define EVENT_DELIVERED UINT64_C(2) /* one was consumed. Never cleared */
#define EVENT_ENDED UINT64_C(4)     /* the owner has closed it: no request is taken any more */
#define EVENT_WAITED                                                                               \
	UINT64_C(8) /* a process has slept on it: the end must wake. Never cleared, so             \
	             * there is no count that a killed waiter could leave wrong */
#define EVENT_PAUSED                                                                               \
	UINT64_C(16) /* checks and sleeps stop until it is cleared; a set clears it with the same  \
	              * swap, so that a request always ends the pause */
#define EVENT_FINISHING                                                                            \
	UINT64_C(32) /* the command has ended and the outcome is decided: slot->finish has it. No  \
	              * request is made any more. Never cleared (protocol/finish.h) */
#define EVENT_SEQUENCE_STEP UINT64_C(64)
#define EVENT_SEQUENCE_MASK UINT64_C(0xffffffc0)

/* Escalation word: | generation 32 | count 9 | stop 1 | nested 1 | newest 12 | signal 7 | signal
 * requested 1 | kill 1 |. The low half is a futex on which the supervisor waits. */
#define ESCALATE_KILL UINT64_C(1)
#define ESCALATE_SIGNAL UINT64_C(2)
#define ESCALATE_SIGNUM_SHIFT 2
#define ESCALATE_SIGNUM_MASK UINT64_C(0x1fc)

/* Two facts of the escalation word, which are no steps. They are there because its generation keeps
 * them from the slot's next tenant: the low bits of the newest pid when a check took the request,
 * by which the supervisor tells what was started after it (0: not known); and that its request has
 * ended a nested run. */
#define ESCALATE_NEWEST_SHIFT 9
#define ESCALATE_NEWEST_MASK UINT64_C(0x1ffe00)
#define ESCALATE_NESTED_CANCELLED UINT64_C(0x200000)
#define ESCALATE_STOP                                                                              \
	UINT64_C(0x400000) /* the processes are stopped while the event is paused, and continued   \
	                    * when it is not: see protocol/pause.c */
#define ESCALATE_COUNT_SHIFT 23
#define ESCALATE_COUNT_STEP (UINT64_C(1) << ESCALATE_COUNT_SHIFT)

/* Flags of a slot, written by its owner, but for SLOT_HAS_CHILDREN, which those nested in
 * it set. They carry no generation: see register.c. */
#define SLOT_KIND_MASK UINT64_C(7)
#define SLOT_PENDING UINT64_C(0x8) /* registered, not started */
#define SLOT_NO_KILL UINT64_C(0x10)
#define SLOT_STOP_COMMAND UINT64_C(0x20) /* run --stop: the run file has it */
#define SLOT_SIGNALLED UINT64_C(0x40)    /* a request was delivered by signal or stop command */
#define SLOT_KILLED UINT64_C(0x80)       /* SIGKILL was sent by --kill or kill-after */
#define SLOT_HAS_CHILDREN UINT64_C(0x100)
#define SLOT_HAS_LOG UINT64_C(0x200)
#define SLOT_HAS_OUTPUT UINT64_C(0x400)      /* run --detach keeps its output */
#define SLOT_FINISH_COMMAND UINT64_C(0x800)  /* run --finish: the run file has it */
#define SLOT_COOPERATIVE UINT64_C(0x1000)    /* run --cooperative */
#define SLOT_SIGNAL_COMMAND UINT64_C(0x2000) /* run --signal-to=command */
#define SLOT_SIGNALLED_ODD UINT64_C(0x4000)  /* and it was request[1], else request[0] */
#define SLOT_SIGNUM_SHIFT 16                 /* run --signal, 7 bits; 0: none */
#define SLOT_REQUEST_SIGNUM_SHIFT 24 /* the signal by which run itself got the request; 0: none */
#define SLOT_NESTED_WAIT_SHIFT 32    /* run --nested-wait, 32 bits, as after_ms */

typedef _Atomic uint64_t shared_u64;
typedef _Atomic int64_t shared_i64;
typedef _Atomic uint32_t shared_u32;
typedef _Atomic uint16_t shared_u16;

/* A process that owns slots (owner.c). */
struct owner_entry {
	shared_u64 word;  /* | generation 24 | leased 1 | namespace tag 15 | pid 22 | state 2 | */
	shared_u64 start; /* start time in clock ticks since boot */
	shared_u64 pidfs; /* inode of its pidfd, where the kernel has pidfs; else 0 */
	shared_u32 namespace; /* inode of its PID namespace: the kernel numbers them in 32 bits */
	shared_u32 image;     /* tells one exec from the next; 0: not known */
};
static_assert(sizeof(struct owner_entry) == 32, "two owners are one cache line");

/* The id of a slot: its 16 bytes, written between claim and publish. */
struct slot_id {
	shared_u64 half[2];
};

/* A request, and who made it (protocol/request.c). */
struct request_record {
	shared_u64 word;    /* | generation 32 | sequence 26 | stage 6 | */
	shared_i64 time_ns; /* time of day */
	shared_i64 monotonic_ns;
	shared_u64 actor; /* | uid 32 | pid 24 | by address 1 | by signal 1 | cause 6 | */
	shared_u64 call;  /* the call that made it: the same in all that it reached */
	shared_u64 command[INV_COMMAND_BYTES / 8];
	shared_u64 origin[ORIGIN_BYTES / 8]; /* terminal and script, or the address */
	shared_u64 reason[INV_REASON_BYTES / 8];
};
static_assert(sizeof(struct request_record) == 160, "two of them fit a slot");

/* The payload of a slot. slot.c says which process writes what, and when. */
struct slot {
	/* identity: written between claim and publish */
	shared_u64 parent[2];
	shared_u64 parent_ref;   /* | 1 + slot 32 | generation 32 |; 0: none */
	shared_i64 requested_ns; /* time of day */
	shared_u64 flags;
	shared_u64 last_check; /* | generation 32 | 1 + 10-ms ticks since the table was made |; 0:
	                          never */

	/* the run: written by the owner */
	shared_i64 started_ns;
	shared_i64 completed_ns;
	shared_i64 completed_monotonic_ns;
	shared_i64 deadline_monotonic_ns; /* 0: none */
	shared_u64 after_ms; /* | kill-after 32 | signal-after 32 |, as pack_after in api/run.c */
	shared_u64 owner_process; /* | uid 32 | pid 32 | */
	shared_u64
	        action_process; /* | start time 40 | pid 24 |: the command's, as in owner_entry */

	shared_u64 escalation; /* steps beyond the request, for the supervisor */
	/* the shields (protocol/shield.c) */
	shared_u64 shield[SHIELD_HOLDERS]; /* | depth 8 | namespace 10 | since 24 | pid 22 |; 0:
	                                      free */
	shared_u32 shield_more[SHIELD_HOLDERS]; /* | since 8 | check 10 | limit 14 | */

	shared_u16 log_lost;         /* stays at its maximum */
	shared_u16 progress_percent; /* 1 + percent * 500; 0: none (progress.c) */

	shared_u64 finish; /* | outcome 16 | code 8 | by signal 1 | state 2 | (protocol/finish.h) */

	/* the requests: the one with sequence number n in request[n % 2] */
	struct request_record request[2];

	/* progress (progress.c) */
	shared_u64 progress_word; /* | generation 32 | sequence 31 | writing 1 | */
	shared_u64 progress_text[INV_PROGRESS_BYTES / 8];

	shared_u64 name[INV_NAME_BYTES / 8];
};
static_assert(sizeof(struct slot) == 576, "with its id and words, 612 bytes a slot");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2 &&
                      ATOMIC_SHORT_LOCK_FREE == 2,
              "only lock-free atomics can be shared between processes");

/*
 * One change of state. Its maker takes a number from the header's changes_made, claims record
 * number % CHANGES by its word, writes, and stores the number as published. A watcher reads the
 * word before and after; a number beyond the one that it expects, or a record that stays claimed
 * (its maker was killed), counts as missed. No maker waits for a watcher, and none writes where
 * watched_until_ns has passed: a watcher renews it while it watches.
 */
struct change_record {
	shared_u64 word; /* | number 63 | published 1 | */
	shared_i64 time_ns;
	shared_u64 id[2];
	shared_u64 what; /* which change, and its number: a percentage, an exit status, a signal */
	shared_u64 actor;
	shared_u64 unused[2];
};
static_assert(sizeof(struct change_record) == 64, "one cache line");

struct header {
	/* the geometry: written before the segment has a name, never after */
	uint64_t magic;
	uint32_t version;
	uint32_t capacity;
	uint64_t fingerprint;
	uint64_t bytes;
	uint32_t buckets;
	uint32_t width;
	uint32_t slots;
	uint32_t owners;
	uint64_t epoch; /* random, and never 0 */
	uint32_t uid;
	uint32_t gid;
	uint32_t shared; /* 1: made with --group */
	uint32_t unused;
	int64_t created_ns;
	int64_t created_monotonic_ns;
	uint64_t namespace; /* PID namespace of its maker: owners of others hold leases (owner.c) */

	/* written by the serving broker */
	_Alignas(64) shared_u64 broker_owner; /* its entry; 0: none */
	shared_u64 broker_pid;
	shared_i64 broker_since_ns;
	shared_i64 retain_ns;
	shared_u64 broker_version[2];

	/* written by a registrar where the levels below are full; only grows */
	shared_u32 levels;

	/* written by any process: the operator's hold (protocol/hold.c) */
	_Alignas(64) struct request_record hold;
	/* written by the serving broker: the hold's word that its copy shows (protocol/hold_copy.c)
	 */
	shared_u64 hold_stored;

	/* written by any process: a change that the broker must notice (notification.c) */
	_Alignas(64) shared_u32 change_counter;
	shared_u32 wake_wanted;
	shared_u32 owners_used; /* no entry above this was ever taken (owner.c); only grows */

	/* the ring of changes */
	_Alignas(64) shared_i64 watched_until_ns; /* monotonic, coarse; 0: never watched */
	shared_u64 changes_made;
};
static_assert(sizeof(struct header) <= LAYOUT_PAGE, "the header is one page");

/* Changes with every change of the layout that the compiler can see. */
#define LAYOUT_FINGERPRINT                                                                         \
	((uint64_t)sizeof(struct slot) << 48 ^ (uint64_t)offsetof(struct slot, escalation) << 40 ^ \
	 (uint64_t)offsetof(struct slot, request) << 32 ^                                          \
	 (uint64_t)offsetof(struct slot, progress_word) << 24 ^                                    \
	 (uint64_t)offsetof(struct slot, name) << 12 ^ (uint64_t)LEVELS_MAX << 20 ^                \
	 (uint64_t)sizeof(struct owner_entry) << 4 ^                                               \
	 (uint64_t)offsetof(struct header, change_counter))

/* Where each part of a segment lies: computed from the capacity alone. */
struct geometry {
	uint32_t capacity;
	uint32_t buckets;
	uint32_t width; /* words in a bucket of the last level */
	uint32_t slots;
	uint32_t owners;
	uint32_t level_count;
	uint32_t level_end[LEVELS_MAX];     /* the slot behind each level */
	uint32_t level_buckets[LEVELS_MAX]; /* buckets in it */
	size_t control_at, event_at, ids_at, parent_index_at, owners_at, slots_at, changes_at;
	size_t bytes;
};

/* 0, or -EINVAL for a capacity that is 0 or over CAPACITY_MAX. */
int geometry_of(uint32_t capacity, struct geometry *geometry);

#endif

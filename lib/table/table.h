/*
 * An attached table, as this process sees it. The mapping is shared; this struct is private.
 *
 * attach.c attaches to a segment and detaches, create.c makes one, open.c opens one by its
 * name (and the default table), autostart.c starts a broker.
 */
#ifndef TABLE_H
#define TABLE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "table/layout.h"
#include "table/name.h"

enum { HANDLE_CHAINS_MIN = 64 };

struct inv_table {
	char name[INV_TABLE_NAME_BYTES];
	int fd;
	dev_t device;
	ino_t inode;
	void *base;
	struct geometry geometry;
	uint64_t epoch;
	uint32_t uid;
	bool shared;    /* others may write to it */
	bool view_only; /* root sees it and makes requests, but registers nothing (attach.c) */
	struct header *header;
	shared_u64 *control;
	shared_u64 *event;
	struct slot_id *ids;
	shared_u32 *parent_index;
	struct owner_entry *owners;
	struct slot *slots;

	pthread_mutex_t lock;       /* of what follows; taken by fork (attach.c) */
	unsigned process;           /* fork_generation() of the process that fills it */
	uint32_t owner;             /* this process's entry; 0: none yet */
	uint64_t owner_word;        /* its word */
	uint64_t owner_process;     /* | uid 32 | pid 32 | of this process */
	int owner_fd;               /* holds the entry's lease, if it has one (owner.c); 0: none */
	_Atomic uint32_t owned;     /* slots it owns */
	struct inv_event **handles; /* chains, by slot (api/handle.c) */
	uint32_t handle_chains;     /* how many: a power of two */
	uint32_t handle_count;      /* handles in them */
	struct inv_event *first_handles[HANDLE_CHAINS_MIN]; /* the chains until they are outgrown */
	_Atomic int64_t broker_checked_ns; /* when table_ensure_broker last searched for one */
	_Atomic int64_t broker_seen_ns;    /* when a broker was last seen to hold its lease */
	_Atomic int64_t intact_ns;         /* when it was last found not to be abandoned */
	_Atomic int64_t broker_awake_ns;   /* when the broker was last seen not to be stopped */
	_Atomic int64_t same_program_ns;   /* when the owner's entry with this word was last */
	_Atomic uint64_t same_program;     /* found to run the program that it entered with */
	struct inv_table *next;            /* all attached tables (attach.c) */
	struct inv_table *previous;
	bool guarded;
	int lease_fd; /* the broker's: holds its lease; 0: none */
};

/* A registration, for as long as its generation lasts. */
struct slot_ref {
	uint32_t index;
	uint32_t generation;
};

/* Attach to the segment of that name. A table that its broker serves without a name is not
 * found. As inv_open. */
int table_attach_named(const char *name, bool guard, inv_table **out);

/* Attach to an open segment; the descriptor is taken over, also on failure.
 * handed_over: by a broker's socket, so that it may have lost its name. */
int table_attach_fd(const char *name, int fd, bool handed_over, bool guard, inv_table **out);

/* Unmap, close, free. */
void table_detach(inv_table *table);

/* Call each for every attached table. In a forked child, where one thread is left. */
void table_each_attached(void (*each)(inv_table *table));

/* Make a table and attach to it. group: the group that shares it; NULL: it is private. hold: the
 * hold that stands in it from the start; NULL: none.
 * 0; -EEXIST the name is taken; -ENOSPC /dev/shm is too full (nothing is left); -EINVAL;
 * -errno. */
int table_make(const char *name, uint32_t capacity, const gid_t *group,
               const struct request_record *hold, inv_table **out);

/* As inv_open. */
int table_open(const char *name, unsigned flags, inv_table **out);

/* NULL: the default table, attached on first use (autostart: and a broker started where none
 * holds the lease); else table itself. *resolved or a negative errno; -ESTALE it was abandoned, and
 * this process owns nothing in it. */
int table_resolve(inv_table *table, bool autostart, inv_table **resolved);

/* From now on a NULL table is this one, as long as INVCTL_TABLE names it. */
void table_set_default(inv_table *table);

/* Start a broker for the table of that name, and wait until it serves. 0; -ENOENT it may not
 * be started, or is not installed; -ETIMEDOUT; -ECHILD it failed; or why it failed. */
int autostart_broker(const char *name);

#endif

/*
 * An attached table, as this process sees it. The mapping is shared; this
 * struct is private. Attach (table.c), creation (create.c), the default table
 * (default_table.c), automatic start of a broker (autostart.c).
 */
#ifndef TABLE_H
#define TABLE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "table/layout.h"

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
	bool shared; /* others may write to it */
	struct header *header;
	shared_u64 *control;
	shared_u64 *event;
	struct slot_id *ids;
	shared_u32 *parent_index;
	struct owner_entry *owners;
	struct slot *slots;

	pthread_mutex_t lock;       /* of what follows; taken by fork (fork.c) */
	unsigned process;           /* fork_generation() of the process that fills it */
	uint32_t owner;             /* this process's entry; 0: none yet */
	uint64_t owner_word;        /* its word */
	uint64_t owner_process;     /* | uid 32 | pid 32 | of this process */
	int owner_fd;               /* holds the entry's lease, if it has one (owner.c); 0: none */
	uint32_t owned;             /* slots it owns */
	struct inv_event **handles; /* chains, by slot (event_handle.c) */
	uint32_t handle_chains;     /* how many: a power of two */
	uint32_t handle_count;      /* handles in them */
	struct inv_event *spare;    /* a handle that was given back, or NULL */
	struct inv_event *first_handles[HANDLE_CHAINS_MIN]; /* the chains until they are outgrown */
	_Atomic int64_t broker_asked_ns; /* when it was last asked whether a broker serves it */
	_Atomic int64_t lease_ns;        /* when a broker was last seen to hold the lease */
	_Atomic int64_t same_program_ns; /* when the owner's entry with this word was last */
	_Atomic uint64_t same_program;   /* found to run the program that it entered with */
	struct inv_table *next;          /* all attached tables (fork.c) */
	struct inv_table *previous;
	bool guarded;
	int lease_fd;            /* of the serving broker; 0: none */
	int ledger_fd;           /* what this process owns in a shared table (ledger.c); 0: none */
	unsigned ledger_process; /* fork_generation() of the process that began it */
};

/* A registration, for as long as its generation lasts. */
struct slot_ref {
	uint32_t index;
	uint32_t generation;
};

/* [A-Za-z0-9._-]{1,64}, but not "." or "..". */
bool table_name_valid(const char *name);

/* The default name of a user is that user's alone: nobody else's segment is taken
 * under it, shared or not. */
bool table_name_private(const char *name);

/* The default name. 0, or -EINVAL. */
int table_default_name(char name[INV_TABLE_NAME_BYTES]);

/* NULL: the default table, attached on first use (autostart: and a broker started
 * where none serves it); else table itself. *resolved or a negative errno. */
int table_resolve(inv_table *table, bool autostart, inv_table **resolved);

/* Around a fork. */
void default_table_fork_lock(void);
void default_table_fork_unlock(void);

/* Attach to the segment of that name; a broker that serves it without a name is not
 * asked. Errors as inv_open. */
int table_attach_named(const char *name, bool guard, inv_table **out);

/* Attach to a segment that is open as fd, which is taken over (closed on error). */
int table_attach_fd(const char *name, int fd, bool handed_over, bool guard, inv_table **out);

/* A host program may have closed the table's descriptor, and opened something else there:
 * that stays open. */
void table_close_descriptor(const inv_table *table);

/* Whether a broker holds the table's lease: 1, 0, or -ESTALE where the
 * descriptor was closed behind our back. */
int table_has_broker(const inv_table *table);

/* The serving broker is of this PID namespace, as far as is known. */
bool table_broker_is_here(const inv_table *table);

/* A broker of this PID namespace serves it, and so sees to it when an owner dies. */
bool table_broker_watches(const inv_table *table);

/* The same, as of the last 50 ms: costs no system call while a broker serves. */
bool table_broker_watches_lately(inv_table *table);

/* Its name is gone or names another segment, and no broker hands it on; or it was cut short. */
bool table_abandoned(const inv_table *table);

/* Start a broker for the table of that name and wait until it serves it.
 * 0; -ENOENT INVCTL_AUTOSTART=0 or no invbroker to be found; -ECHILD it failed;
 * -ETIMEDOUT. */
int autostart_broker(const char *name);

/* At registration: start a broker where none serves the table. Asks the kernel at
 * most once a second. An error is not the caller's: the table works without. */
void table_ensure_broker(inv_table *table);

#endif

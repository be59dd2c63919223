/*
 * invctl.h - stop a laboratory action cleanly, by the ID of its invocation.
 *
 * An invocation is one run of one action, named by a UUID. A shared-memory
 * table (one per user by default) keeps for each live invocation a cancel
 * event: a sticky flag with the meaning of Python's threading.Event, on which
 * any process can wait (futex(2)) and which any process can set. A context
 * answers "which invocation am I in?"; it is a stack per thread, below which
 * lies the environment's INVCTL_ID.
 *
 * Conventions, unless a function says otherwise:
 *   - An id is 16 bytes, compatible with uuid_t of libuuid.
 *   - A function that can fail returns 0 or a positive answer, or a negative
 *     errno. Nothing prints, exits or installs a signal handler (except the
 *     SIGBUS guard, on request).
 *   - A NULL table is the default one (INVCTL_TABLE, else /etc/invctl/table,
 *     else "invctl-UID"), attached on first use.
 *   - Durations are in nanoseconds of CLOCK_MONOTONIC; INV_FOREVER never ends.
 *     Times of day are in nanoseconds since the epoch (CLOCK_REALTIME).
 *   - Every function may be called from any thread. None is async-signal-safe,
 *     except inv_event_is_set, inv_version and inv_strerror.
 *   - Blocking calls return -EINTR after a signal handler has run.
 *   - After fork() the child is not the owner: contexts entered by calls are
 *     left there, and inherited handles answer -ESTALE. Put them all the same.
 *   - Strings are UTF-8. A text longer than its field is shortened.
 *
 * It is software for stopping work cleanly, not a safety interlock.
 */
#ifndef INVCTL_H
#define INVCTL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct inv_table inv_table;
typedef struct inv_event inv_event;
typedef struct inv_context inv_context;
typedef struct inv_invocation inv_invocation;
typedef struct inv_thread inv_thread;

#define INV_FOREVER (-1)

/* Flags of inv_open. */
enum {
	INV_OPEN_AUTOSTART = 1, /* start a broker when none serves the table */
	INV_OPEN_GUARD = 2,     /* install the SIGBUS guard: a table truncated under use
	                         * reads as zeros (-ESTALE) instead of killing the program */
};

/* Flags of inv_cancel. */
enum {
	INV_CANCEL_ONLY = 1, /* not its descendants */
	INV_CANCEL_SIGNAL =
	        2, /* and have the processes signalled now, also where the action is cooperative */
	INV_CANCEL_KILL = 4, /* and SIGKILLed */
};
/* INV_CANCEL_SIGNAL with a signal of your own choice (1 to 64), or-ed to the flags. */
#define INV_CANCEL_WITH_SIGNAL(signum) (INV_CANCEL_SIGNAL | ((unsigned)(signum) << 8))

/* Flags of inv_pause. */
enum {
	INV_PAUSE_STOP_PROCESSES = 1, /* where it is not cooperative: SIGSTOP to its processes */
};

/* How an invocation stands. The values are what inv_wait returns and what
 * inv_invocation_end takes (the first three). */
enum inv_status {
	INV_COMPLETED = 0,
	INV_CANCELLED = 1,
	INV_ERROR = 2,
	INV_PENDING = 3,
	INV_RUNNING = 4,
};

/* Why its stop was requested, or why it ended. */
enum inv_cause {
	INV_CAUSE_NONE = 0,
	INV_CAUSE_REQUESTED,
	INV_CAUSE_DEADLINE,
	INV_CAUSE_PARENT,
	INV_CAUSE_INTERRUPT,
	INV_CAUSE_HOLD,
	INV_CAUSE_LOST,
	INV_CAUSE_EXIT,
	INV_CAUSE_SIGNAL,
	INV_CAUSE_EXEC,
};

/* How far the last request has come. */
enum inv_cancel_state {
	INV_CANCEL_NONE = 0,
	INV_CANCEL_REQUESTED,
	INV_CANCEL_DELIVERED, /* to a check or a sleep */
	INV_CANCEL_SIGNALLED, /* to the processes, by a signal or by the stop command */
	INV_CANCEL_KILLED,
};

/* What registered it. */
enum inv_kind {
	INV_KIND_EVENT = 1, /* inv_event_create, inv_event_get */
	INV_KIND_CONTEXT,   /* inv_context_enter */
	INV_KIND_CALL,      /* inv_invocation_begin, inv_thread_start */
	INV_KIND_RUN,       /* invctl run */
};

enum {
	INV_ID_TEXT_BYTES = 37, /* 36 characters and a NUL */
	INV_NAME_BYTES = 56,
	INV_REASON_BYTES = 64,
	INV_COMMAND_BYTES = 16,
	INV_TERMINAL_BYTES = 16,
	INV_SCRIPT_BYTES = 40,
	INV_PROGRESS_BYTES = 32,
	INV_TABLE_NAME_BYTES = 65,
};

/* A request to stop, and its actor. */
struct inv_request {
	int32_t state;   /* enum inv_cancel_state */
	int32_t cause;   /* enum inv_cause */
	int64_t time_ns; /* time of day */
	int64_t age_ns;  /* since then, monotonic */
	uint32_t uid;    /* the actor: user, process and its program; of an HTTP client the token's
	                    name */
	int32_t pid;
	char command[INV_COMMAND_BYTES];
	char terminal[INV_TERMINAL_BYTES]; /* "pts/3"; "": none */
	char script[INV_SCRIPT_BYTES];     /* that called invctl; "": none */
	char address[INV_SCRIPT_BYTES];    /* of an HTTP client; "": none */
	char reason[INV_REASON_BYTES];
};

/* How far the finish command of `run --finish` has come. */
enum inv_finish_state {
	INV_FINISH_NONE,    /* there is none */
	INV_FINISH_PENDING, /* the command has not ended, or its leftovers are waited for */
	INV_FINISH_RUNNING,
	INV_FINISH_ENDED,
	INV_FINISH_SKIPPED, /* the command was never started */
};

/* What is known of one invocation: a copy, consistent in itself. New fields
 * are added at the end only. */
struct inv_info {
	uint8_t id[16];
	uint8_t parent[16];  /* all zero: none */
	int32_t status;      /* enum inv_status */
	int32_t kind;        /* enum inv_kind */
	int32_t cause;       /* enum inv_cause: why it ended; 0 while it lives */
	int32_t exit_status; /* of the command, once it has ended; -1: none known */
	int32_t term_signal; /* that killed the command; 0: none */
	int32_t wait_status; /* what `invctl wait` exits with; -1 while it lives */
	uint32_t uid;        /* of its owner */
	int32_t owner_pid;   /* the supervisor's, or the calling program's; 0 when it has ended */
	int32_t pid;         /* the command's, later its finish command's, or the calling program's;
	                        0: none runs */
	int64_t requested_ns;  /* time of day: registered */
	int64_t started_ns;    /* time of day; 0: not yet */
	int64_t completed_ns;  /* time of day; 0: not yet */
	int64_t age_ns;        /* since it was registered, until it ended */
	int64_t deadline_ns;   /* time of day; 0: none */
	int64_t last_check_ns; /* time of day; 0: never. Exact for commands, sampled for
	                         calls */
	int32_t cooperative; /* 1: it has checked since it started, or run --cooperative says so */
	int32_t shielded;    /* 1: by a shield of its own or of a parent: a request waits */
	int32_t paused;      /* 1: its next check or sleep stops until it is resumed */
	int32_t finishing; /* 1: the command has ended, the outcome is decided; what follows has not
	                    */
	struct inv_request cancel; /* the request that stopped it, else the pending one */
	struct inv_request later;  /* a pending one after that; state INV_CANCEL_NONE: none */
	double progress_percent;   /* negative: none given */
	char progress_text[INV_PROGRESS_BYTES];
	char name[INV_NAME_BYTES];
	uint32_t log_lost;          /* log records that could not be written */
	int32_t no_kill;            /* run --no-kill */
	int32_t orphaned;           /* 1: its supervisor is dead, the action goes on */
	int32_t finish;             /* enum inv_finish_state */
	int32_t finish_exit_status; /* of the finish command; -1: none known */
	int32_t finish_signal;      /* that killed it; 0: none */
	/* The shield that holds; shielded is 0 where its limit has run out. */
	int32_t shield_ran_out;
	int32_t shield_pid;      /* of its process; 0: none is known, or of another PID namespace */
	int64_t shield_age_ns;   /* since it began */
	int64_t shield_limit_ns; /* how long it may last; INV_FOREVER: no limit; 0: there is none */
};

/* What is known of a table. */
struct inv_table_info {
	char name[INV_TABLE_NAME_BYTES];
	uint64_t epoch;    /* differs for every table ever made */
	uint32_t capacity; /* live invocations it was made for */
	uint32_t live;
	uint32_t finished; /* still kept */
	uint32_t owners;   /* processes entered in it */
	uint32_t owner_limit;
	uint32_t uid; /* whose it is */
	uint32_t gid; /* of a shared one */
	int32_t shared;
	int32_t serving;         /* 1: a broker serves it */
	int32_t broker_pid;      /* as the table tells; 0: none */
	int64_t broker_since_ns; /* time of day */
	char broker_version[16];
	int32_t unlinked;       /* 1: its name was removed under it */
	uint32_t unseen_owners; /* of these processes, those whose death is not seen from here */
	int64_t retain_ns;
	uint64_t bytes; /* of the segment */
};

/* ---- Tables ------------------------------------------------------------ */

/*
 * Attach to a table. Once its name is removed and it has no broker, no request could find what is
 * in it: calls with the handle are -ESTALE, unless this process still owns something there.
 *   name   [A-Za-z0-9._-]{1,64}; NULL: the default
 *   flags  INV_OPEN_AUTOSTART, INV_OPEN_GUARD, or 0
 * 0; -EINVAL a bad name; -ENOENT no such table (and none was started);
 * -EACCES or -EPERM not yours (root: see inv_open(3)); -EBADMSG foreign or damaged; -EPROTO of
 * another version; -ENOSPC, -ENOMEM no room; -ETIMEDOUT, -ECHILD the broker did not come up. Close
 * it with inv_close once all that was made from it is put.
 */
int inv_open(inv_table **out, const char *name, unsigned flags);

/* Detach. NULL is ignored. What is still owned through it is given up as if
 * the process had died. */
void inv_close(inv_table *table);

/* Its name; "" on error. Valid until inv_close. */
const char *inv_table_name(inv_table *table);

/* Fill *info. 0, or as inv_open. Counts by a scan of the table. */
int inv_table_info_get(inv_table *table, struct inv_table_info *info);

/*
 * Put up a hold: nothing new starts until it is released. inv_invocation_begin and
 * inv_thread_start answer -EPERM outside a live invocation, and `invctl run` exits with 118. A
 * second hold replaces the note. The broker keeps a copy, so that it survives a reboot.
 *   note  why; may be NULL
 * 0; -ESTALE the table was removed meanwhile: call again; or as inv_open with INV_OPEN_AUTOSTART.
 */
int inv_hold(inv_table *table, const char *note);

/* Release the hold, if there is one. 0; or as inv_open. */
int inv_release(inv_table *table);

/* The hold that stands: its note (the reason), actor, time and age. 1; 0 there is none, and *hold
 * is all zero but for its cause; or as inv_open. */
int inv_hold_get(inv_table *table, struct inv_request *hold);

/* ---- Context: invocation_contexts.get_invocation_id and the like -------- */

/*
 * The current invocation: of the thread's innermost context, else of INVCTL_ID.
 * 0; -ENXIO outside any context; -EINVAL where INVCTL_ID is no UUID.
 */
int inv_current_id(uint8_t id[16]);

/*
 * Enter the context of an invocation, for the calling thread
 * (set_invocation_id; with a NULL id fake_invocation_context: a fresh one).
 * The id's event is made if there is none, and kept until the context is left.
 * 0; or as inv_event_get.
 */
int inv_context_enter(inv_table *table, const uint8_t *id, inv_context **out);

/*
 * Leave it. It must be the calling thread's innermost.
 * 0; -EPERM another thread's; -EBUSY not the innermost. In a forked child a
 * context of its parent is only freed: 0.
 */
int inv_context_leave(inv_context *context);

/* ---- Cancel events: CancelEvent ------------------------------------------ */

/*
 * Register an id with an event, owned by this process.
 * 0; -EEXIST the id has one, or has ended and is still kept; -ENOSPC the table
 * is full; -EINVAL the nil id; or as inv_open with INV_OPEN_AUTOSTART.
 */
int inv_event_create(inv_table *table, const uint8_t id[16], inv_event **out);

/*
 * The event there is, or a new one owned by the caller (CancelEvent.get_for_id;
 * with a NULL id get_cancel_event: the current one).
 * 0; -ENXIO a NULL id outside any context; -ENOENT the current one is of
 * INVCTL_ID, which names no invocation; -ESTALE it has ended; or as create.
 */
int inv_event_get(inv_table *table, const uint8_t *id, inv_event **out);

/* The event there is. 0; -ENOENT none; -ESTALE it has ended; or as inv_open. */
int inv_event_find(inv_table *table, const uint8_t id[16], inv_event **out);

/* Give a handle back. The owning process's last put of an id that was not
 * begun frees the id. NULL is ignored. */
void inv_event_put(inv_event *event);

/* 1 set, 0 not set (a check that consumes nothing); -ESTALE. */
int inv_event_is_set(const inv_event *event);

/*
 * Set it and wake all that wait. Touches this one event only; see inv_cancel.
 *   reason  for the record; may be NULL
 * 0, also when it was set already (which changes nothing); -EALREADY the command of `invctl run`
 * has ended, and the outcome is decided; -ESTALE.
 */
int inv_event_set(inv_event *event, const char *reason);

/* Unset it: the request is withdrawn, undelivered. 0; -ESTALE. */
int inv_event_clear(inv_event *event);

/*
 * Wait until it is, or was since the call, set. Consumes nothing.
 * 1 set; 0 timed out; -EINTR; -ESTALE its owner left or died.
 */
int inv_event_wait(inv_event *event, int64_t timeout_ns);

/* 0 not set (or shielded); -ECANCELED set, and consumed by this call; -ESTALE; -EINTR while it is
 * paused, where it stays until it is resumed. */
int inv_event_check(inv_event *event);

/* Sleep; a request ends it at once, a pause makes it longer. 0 slept in full; -ECANCELED and
 * consumed; -EINTR; -ESTALE; -EINVAL negative and not INV_FOREVER. */
int inv_event_sleep(inv_event *event, int64_t duration_ns);

/* Its id. */
void inv_event_id(const inv_event *event, uint8_t id[16]);

/*
 * A descriptor that is readable while the event is set, perhaps spuriously:
 * for poll, epoll, GLib, asyncio. Do not read from it. The caller closes it.
 * Costs a thread per event while the handle lives.
 * The descriptor; -ESTALE; -EMFILE, -EAGAIN and the like.
 */
int inv_event_fd(inv_event *event);

/* raise_if_cancelled: inv_event_check of the current invocation; 0 outside any
 * context; -ENOENT where INVCTL_ID names no invocation, -ESTALE where it has ended,
 * -EINVAL where it is no UUID, -EINTR while it is paused. */
int inv_check(void);

/* cancellable_sleep: inv_event_sleep of the current invocation; a plain sleep
 * outside any context; -ENOENT, -ESTALE, -EINVAL as inv_check. */
int inv_sleep(int64_t duration_ns);

/* ---- Invocations ---------------------------------------------------------- */

/*
 * Begin an invocation that this program is itself, and enter its context.
 *   id    NULL: a fresh one. An event of this id that this process owns is taken over
 *   name  shown by list; NULL: the program's
 * Its parent is the current invocation. 0; -EPERM a hold stands, and there is no live parent; as
 * inv_event_create.
 */
int inv_invocation_begin(inv_table *table, const uint8_t *id, const char *name,
                         inv_invocation **out);

/*
 * End it, leave its context, and free the handle.
 *   outcome  INV_COMPLETED, INV_CANCELLED, INV_ERROR, or a negative errno
 *            (-ECANCELED: cancelled, others: error). Where a request was made,
 *            an error is recorded as cancelled.
 * 0; -EINVAL another outcome (nothing is done); -ESTALE it was ended by others,
 * or this is a forked child (the handle is freed).
 */
int inv_invocation_end(inv_invocation *invocation, int outcome);

/* Its id, and its event (which the invocation owns: do not put it). */
void inv_invocation_id(const inv_invocation *invocation, uint8_t id[16]);
inv_event *inv_invocation_event(inv_invocation *invocation);

/*
 * Wait until an invocation has ended.
 * INV_COMPLETED, INV_CANCELLED or INV_ERROR; -ETIMEDOUT; -EINTR; -ENOENT no
 * such invocation, or it left without a record.
 */
int inv_wait(inv_table *table, const uint8_t id[16], int64_t timeout_ns);

/*
 * Request an invocation and its live descendants to stop: what `invctl cancel` does.
 * 0; -ENOENT; -EALREADY it has ended; -EPERM INV_CANCEL_KILL and it was run
 * with --no-kill (nothing was done), or a program linked with the library is not
 * yours to signal, or in a shared table does not bear out that it is what the table says
 * (the request was made); -ENOMEM (it was made, but not passed on to what is nested in it:
 * call again); -EINVAL bad flags.
 */
int inv_cancel(inv_table *table, const uint8_t id[16], unsigned flags, const char *reason);

/*
 * Pause an invocation and its live descendants: the next check or sleep of each stops until it is
 * resumed. The time that a sleep has left does not run down; deadlines do. inv_event_is_set,
 * inv_event_wait and a descriptor of inv_event_fd never stop, and nothing stops inside a shield.
 * A request ends the pause, as does the invocation's end. What starts in a paused one is paused.
 * Descendants that are not cooperative go on until their first check.
 *   flags  INV_PAUSE_STOP_PROCESSES: those under `invctl run` that are not cooperative, this one
 *          included, have their processes stopped by their supervisor, and continued at the end of
 *          the pause; 0
 * 0, also where it was paused before; -ENOENT; -EALREADY it has ended, or its finish command runs;
 * -ECANCELED a request is pending; -EOPNOTSUPP it is not cooperative (and with the flag: it has no
 * supervisor); -ENOMEM it is paused, but its descendants are not: call again; -EINVAL bad flags.
 */
int inv_pause(inv_table *table, const uint8_t id[16], unsigned flags);

/*
 * Resume an invocation and its live descendants, each of which may have been paused by itself.
 * Under `invctl run` its supervisor also continues what of its processes a signal has stopped.
 *   flags  0
 * 0, also where it was not paused; -ENOENT; -EALREADY it has ended; -ENOMEM it is resumed, but its
 * descendants are not: call again; -EINVAL bad flags.
 */
int inv_resume(inv_table *table, const uint8_t id[16], unsigned flags);

/* One invocation, live or finished and kept. 0; -ENOENT; or as inv_open. */
int inv_info_get(inv_table *table, const uint8_t id[16], struct inv_info *info);

/*
 * Call each for every invocation, live and finished, in no order, until it
 * returns other than 0. Returns that, or 0, or as inv_open.
 */
int inv_list(inv_table *table, int (*each)(const struct inv_info *info, void *arg), void *arg);

/* ---- Shield, log, progress -------------------------------------------------- */

/*
 * From begin to end nothing is delivered to the current invocation or to those
 * nested in it: check and sleep go on. Nests. Ends with the process.
 * 0; -ENXIO outside any context; -EAGAIN too many processes shield it;
 * -EINVAL end without begin; -ENOENT, -ESTALE as inv_check.
 */
int inv_shield_begin(void);
int inv_shield_end(void);

/*
 * Append to the current invocation's log. level as syslog(3), LOG_EMERG to
 * LOG_DEBUG. The last 1000 records are always kept.
 * 0; -ENXIO outside any context; -EINVAL bad level; -ENOSPC and the like: it
 * was not written (and counted as lost).
 */
int inv_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
int inv_vlog(int level, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
int inv_log_text(int level, const char *text);

/*
 * Call each for the records of an invocation's log, oldest first, until it
 * returns other than 0. time_ns is a time of day.
 * Returns that, or 0 (also when nothing was logged), or a negative errno.
 */
int inv_log_read(inv_table *table, const uint8_t id[16],
                 int (*each)(int64_t time_ns, int level, const char *text, void *arg), void *arg);

/* Tell how far the current invocation is. text may be NULL.
 * 0; -ENXIO outside any context; -EINVAL percent not in 0 to 100; -ENOENT, -ESTALE. */
int inv_progress(double percent, const char *text);

/* ---- Threads: ThreadWithInvocationID --------------------------------------- */

/*
 * Run fn(arg) in a thread in an invocation of its own, whose parent is the
 * caller's. It is recorded as completed where fn returns 0, cancelled where it
 * returns -ECANCELED, else as error.
 * 0; as inv_invocation_begin; -EAGAIN no thread could be made.
 */
int inv_thread_start(inv_thread **out, inv_table *table, int (*fn)(void *arg), void *arg);

/* The id of its invocation. */
void inv_thread_id(const inv_thread *thread, uint8_t id[16]);

/* Request it to stop. 0; -EALREADY it has ended. */
int inv_thread_cancel(inv_thread *thread);

/*
 * Wait for it, take fn's result (may be NULL) and free the handle.
 * 0; -EINTR (the handle stays valid).
 */
int inv_thread_join(inv_thread *thread, int *result);

/*
 * The same; a request to the caller's current invocation is consumed and passed
 * on to the thread at once, and is -ECANCELED after the join
 * (join_and_propagate_cancel).
 */
int inv_thread_join_propagate(inv_thread *thread, int *result);

/* ---- Words ------------------------------------------------------------------ */

/* A sentence for a negative errno of this library. Never NULL. */
const char *inv_strerror(int error);

/* "MAJOR.MINOR.PATCH" */
const char *inv_version(void);

/* Words for the enums: "running", "requested", "delivered". Never NULL. */
const char *inv_status_name(int status);
const char *inv_cause_name(int cause);
const char *inv_cancel_state_name(int state);

/* Lower case. inv_id_parse takes any case: 0 or -EINVAL. */
void inv_id_format(const uint8_t id[16], char text[INV_ID_TEXT_BYTES]);
int inv_id_parse(const char *text, uint8_t id[16]);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

/*
 * invctl-supervisor.h - for programs that run an action as processes of their
 * own and answer for its end: `invctl run`, and invbroker after a supervisor's
 * death. Not installed; invctl.h is what everybody else needs.
 *
 * The supervisor registers (pending), starts the command (running), reads
 * the view whenever inv_run_wait wakes it, and ends the invocation once.
 * One supervisor thread per invocation.
 */
#ifndef INVCTL_SUPERVISOR_H
#define INVCTL_SUPERVISOR_H

#include <sys/types.h>

#include "invctl.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	INV_RUN_NO_KILL = 1,      /* refuses SIGKILL */
	INV_RUN_STOP_COMMAND = 2, /* a stop command takes the place of the signal */
	INV_RUN_FINISH_COMMAND = 4,
	INV_RUN_COOPERATIVE = 8,     /* from the start, without a check */
	INV_RUN_SIGNAL_COMMAND = 16, /* delivery by signal goes to the command alone */
};

enum { INV_SHIELD_PROCESSES = 3 }; /* that can shield one invocation at a time */

struct inv_run_options {
	const uint8_t *id;     /* NULL: a fresh one */
	const uint8_t *parent; /* NULL: none */
	const char *name;
	int64_t deadline_ns;     /* from now; INV_FOREVER: none */
	int64_t signal_after_ns; /* after a request; INV_FOREVER: never */
	int64_t kill_after_ns;   /* after a request; INV_FOREVER: never */
	int64_t nested_wait_ns;  /* how long delivery by signal waits for nested invocations */
	int signal;              /* for delivery; 0: none */
	unsigned flags;
};

/* An outcome that is decided, and not recorded yet. */
struct inv_run_outcome {
	int status;      /* enum inv_status */
	int cause;       /* enum inv_cause */
	int exit_status; /* what `run` exits with */
};

/* What a supervisor must know to decide its next step. Times are monotonic. */
struct inv_run_view {
	int requested;      /* a request was made and not withdrawn, delivered or not */
	int pending;        /* and is not delivered yet */
	int cooperative;    /* the action has checked since it started */
	int shielded;       /* by its own or an ancestor's shield */
	int shield_ran_out; /* requested, and the limit of such a shield has run out */
	pid_t shield_pid;   /* the process of that one; 0: of another PID namespace */
	int64_t shield_limit_ns;
	int had_nested; /* something was nested in it, now or before */
	int delivered;  /* a request was; another may be pending */
	int newest;     /* low bits of the newest pid when a check took it; 0: not known */
	int signalled;  /* it was delivered by signal or stop command */
	int killed;
	int cause;               /* of the last request, enum inv_cause */
	uint32_t request;        /* which request it is: differs for every one */
	int64_t requested_at_ns; /* when it was made */
	int request_signal; /* the signal by which the supervisor itself got the request; 0: none */
	int force_kill;     /* cancel --kill */
	int force_signal;   /* cancel --signal */
	int force_signum;   /* its signal; 0: the usual one */
	uint32_t force_count; /* differs for every such request */
	int paused;
	int stop; /* the processes too: stop them while paused is set, then continue them */

	int decided; /* the command has ended, and this is the outcome */
	struct inv_run_outcome outcome;
	int finish; /* enum inv_finish_state: pending, running, ended */

	int signal; /* the options, as registered */
	unsigned flags;
	int64_t signal_after_ns, kill_after_ns, nested_wait_ns;
	int64_t deadline_ns; /* INV_FOREVER: none */
	pid_t pid;           /* of the command, then of its finish command; 0: none runs */
	uint64_t pid_start;  /* its start time in clock ticks since boot */

	uint32_t event_futex, escalation_futex; /* for inv_run_wait */
};

struct inv_run_result {
	int not_started; /* 1: refused or cancelled while pending */
	int exec_errno;  /* not 0: the command could not be executed */
	int wait_known;  /* 1: wait_status is what waitpid said; 0: it could not be seen */
	int wait_status;
};

/* Register; the broker is started where none serves. 0; -ESTALE the table has lost its name
 * meanwhile (open it anew); -EPERM a hold stands; or as inv_event_create. */
int inv_run_register(inv_table *table, const struct inv_run_options *options, inv_invocation **out);

/* The command runs as pid. 0; -ESTALE. */
int inv_run_started(inv_invocation *invocation, pid_t pid);

/* Fill *view. 0; -ESTALE the table or the slot is gone (the supervisor goes on without). */
int inv_run_view(inv_invocation *invocation, struct inv_run_view *view);

/*
 * Sleep until something differs from *view, or *word (private to this process,
 * may be NULL: bumped by a signal handler) is no longer seen, or until_ns
 * (monotonic; INV_FOREVER) has come. Returns early at will; never an error.
 */
void inv_run_wait(inv_invocation *invocation, const struct inv_run_view *view,
                  const _Atomic uint32_t *word, uint32_t seen, int64_t until_ns);

/*
 * Request this invocation and its descendants to stop, on the supervisor's own account.
 *   signum  the signal that was the request; 0: none
 */
int inv_run_request(inv_invocation *invocation, int cause, int signum, const char *reason);

/* Take the pending request for delivery by signal or stop command.
 * 1 taken; 0 there was none any more (a check was quicker). */
int inv_run_take(inv_invocation *invocation);

/* Note that SIGKILL is about to be sent, by --kill or kill-after. */
void inv_run_killed(inv_invocation *invocation);

/* As inv_log_text, for this invocation. */
int inv_run_log(inv_invocation *invocation, int level, const char *text);

/* The processes were continued after a pause. */
void inv_run_continued(inv_invocation *invocation);

/* Live invocations nested in this one, at any depth. */
int inv_run_nested(inv_invocation *invocation);

/* The pids of the supervisors of live nested invocations; returns how many
 * there are, of which at most limit are stored. */
size_t inv_run_nested_pids(inv_invocation *invocation, pid_t *pids, size_t limit);

/* Pass kill (cancel --kill) on to what is nested. */
void inv_run_kill_nested(inv_invocation *invocation);

/* An id's request is pending and not shielded: a nested run must not start, and that
 * counts as a check of the id's action. 1, 0, or -ENOENT, -ESTALE. */
int inv_run_refused(inv_table *table, const uint8_t id[16]);

/*
 * A shield of an invocation for another process of its action than the caller, or with a limit.
 *   pid       of the caller's PID namespace; the shield ends with it
 *   limit_ns  from now on; INV_FOREVER: no limit. Nested, the longer one counts
 * 0; -EAGAIN INV_SHIELD_PROCESSES shield it already, or too deep; -ESRCH there is no such
 * process; -ENOENT, -ESTALE. The end of one whose limit had run out is 1, of none -EINVAL.
 */
int inv_shield_begin_for(inv_table *table, const uint8_t id[16], pid_t pid, int64_t limit_ns);
int inv_shield_end_for(inv_table *table, const uint8_t id[16], pid_t pid);

/* Which processes of the caller's PID namespace shield it now: how many, or -ENOENT, -ESTALE. */
int inv_shield_processes(inv_table *table, const uint8_t id[16], pid_t pids[INV_SHIELD_PROCESSES]);

/*
 * The command has ended, and leftovers are waited for, or its finish command: decide the outcome.
 * From here on no request is made of it; inv_run_end records what was decided.
 *   outcome  what was decided, also where the table is gone
 * 0; -ESTALE.
 */
int inv_run_decide(inv_invocation *invocation, const struct inv_run_result *result,
                   struct inv_run_outcome *outcome);

/* The finish command runs as pid: from here on the invocation is shielded. 0; -ESTALE. */
int inv_run_finish_started(inv_invocation *invocation, pid_t pid);

/* The finish command has ended, as waitpid said. 0; -ESTALE. */
int inv_run_finish_ended(inv_invocation *invocation, int wait_status);

/*
 * Record how it ended, and free the handle. Exactly one outcome is recorded,
 * whatever races. Returns the exit status that run and wait owe the caller (0
 * to 255). Where the table is gone, that status all the same.
 */
int inv_run_end(inv_invocation *invocation, const struct inv_run_result *result);

/* The path of an invocation's file with the given suffix ("run", "out", "log")
 * in the state directory, which is made. 0; -ENAMETOOLONG, -ENOTDIR no home, or a relative
 * INVCTL_STATE_DIR; -EPERM another user's link leads there; mkdir's errors. */
int inv_state_path(inv_table *table, const uint8_t id[16], const char *suffix, char *path,
                   size_t size);

/* A record of a log. */
struct inv_log_record {
	int64_t time_ns; /* time of day */
	int level;
	uint64_t output_bytes; /* the length of the kept output when it was written */
	const char *text;      /* until the next call with the reader */
};

typedef struct inv_log_reader inv_log_reader;

/*
 * Read the log of an invocation, oldest record first, while it may grow; the table need not exist.
 * inv_log_open  0, also where nothing was logged; -EPERM, -ELOOP no regular file of the caller's
 *               own; -ENOMEM; as inv_state_path; errors of open(2)
 * inv_log_next  1 a record; 0 no more at present: call again after the log has grown; -errno
 */
int inv_log_open(const char *table_name, const uint8_t id[16], inv_log_reader **out);
int inv_log_next(inv_log_reader *reader, struct inv_log_record *record);
void inv_log_close(inv_log_reader *reader);

/* Does a broker serve the table? Where none does, one is started. 1 or 0. */
int inv_table_have_broker(inv_table *table);

/*
 * inv_cancel of several invocations, as one call: each gets one request, however it is reached.
 *   results  what inv_cancel of each alone would return
 * 0; -ENOMEM and the like: nothing was done.
 */
int inv_cancel_all(inv_table *table, const uint8_t (*ids)[16], size_t count, unsigned flags,
                   const char *reason, int *results);

/* As inv_pause; goes_on is called for each live descendant that is not cooperative and goes on. */
int inv_pause_report(inv_table *table, const uint8_t id[16], unsigned flags,
                     void (*goes_on)(const uint8_t id[16], void *arg), void *arg);

/*
 * Request all that is live to stop, with the cause "hold": one request of each, as one call. It
 * takes no memory. each  called with the id of each, also where a request was pending or it is
 * ending; may be NULL 0; or as inv_open.
 */
int inv_cancel_everything(inv_table *table, const char *reason,
                          void (*each)(const uint8_t id[16], void *arg), void *arg);

/* Wait until no hold stands. 0; -ETIMEDOUT; -EINTR; -ESTALE the table was abandoned; or as
 * inv_open. */
int inv_hold_wait(inv_table *table, int64_t timeout_ns);

/* Wait until the broker's copy of the hold shows it as it is, so that a hold, or its release,
 * survives the machine. 0; -ETIMEDOUT; -EINTR; or as inv_open. */
int inv_hold_await_stored(inv_table *table, int64_t timeout_ns);

/* Who makes the requests of this process, as far as the process itself does not show it. Strings
 * are copied and shortened; each may be NULL. Not thread-safe: call it before the first request. */
struct inv_actor {
	const char *command;  /* instead of the process's name */
	const char *terminal; /* "pts/3" */
	const char *script;   /* that called this program */
	const char *address;  /* of an HTTP client; then there is no terminal or script */
};
void inv_actor_set(const struct inv_actor *actor);

/*
 * Call each with the name and the user of every table that is found on this machine, whether the
 * caller may open it or not; with some of them twice.
 *   served  1: its broker's socket shows it, also where it has lost its name
 * 0; -ENOMEM and the like: not all were found.
 */
int inv_tables_each(void (*each)(const char *name, uint32_t uid, int served, void *arg), void *arg);

/* From now on a NULL table is this one, as long as INVCTL_TABLE names it. */
void inv_default_table_set(inv_table *table);

/* The name that a NULL table stands for. 0; -EINVAL the environment's is unusable. */
int inv_default_table_name(char name[INV_TABLE_NAME_BYTES]);

#ifdef __cplusplus
}
#endif

#endif

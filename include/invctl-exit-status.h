/*
 * The exit statuses of invctl and invbroker: the same meaning in
 * every command, so that a script can tell them apart.
 */
#ifndef INVCTL_EXIT_STATUS_H
#define INVCTL_EXIT_STATUS_H

enum exit_status {
	EXIT_DONE = 0,
	EXIT_NO = 1, /* the answer is no: check --peek, id, why, status */
	EXIT_USAGE = 2,
	EXIT_NO_INVOCATION = 113, /* or no context where one is required */
	EXIT_AMBIGUOUS = 114,
	EXIT_FINISHED = 115,
	EXIT_NO_TABLE = 116, /* or no broker */
	EXIT_TABLE_FULL = 117,
	EXIT_DENIED = 118,    /* or on hold */
	EXIT_TIMED_OUT = 119, /* the caller's own wait; the target still runs */
	EXIT_CANCELLED = 122,
	EXIT_DEADLINE = 124,
	EXIT_INTERNAL = 125, /* invctl itself failed; or the target was lost */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL_BASE = 128, /* plus the signal that killed the command */
	EXIT_KILLED = 137,
};

#endif

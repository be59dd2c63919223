/*
 * The run file: what `invctl run` knows of its command and the table has no
 * room for. list and show read the command and its directory from it, and the
 * broker the stop command of an action whose supervisor has died. It lies in
 * the state directory, is mode 0600, and only its owner's is ever believed: no
 * command is taken from the shared table.
 *
 * With a finish command it holds the environment too, as the broker has to run that when neither
 * the supervisor nor the action is left. Once it has run, the file is sealed: read-only.
 *
 * It is NUL-terminated strings: a format line; then KEY=VALUE, in any order, of which unknown
 * keys are skipped; an empty string; and the command's words. So other versions can read it, and
 * reach the supervisors of a table that they can't (other_version.h).
 */
#ifndef RUNFILE_H
#define RUNFILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct runfile {
	char *name; /* NULL: not known; so are the next three */
	char *cwd;
	char *stop_command;
	char *finish_command;
	int64_t finish_timeout_ns;
	char **environment;        /* of the finish command; ends with NULL */
	pid_t supervisor;          /* 0: not known */
	uint64_t supervisor_start; /* clock ticks since boot */
	int64_t output_limit;      /* bytes of output that are kept; 0: no bound */
	char **command;            /* ends with NULL */
	char *text;                /* what the others point into; of runfile_read */
};

/* Write a new file: the whole of it, or none. 0; -EEXIST; -ENOSPC and the like. */
int runfile_write(const char *path, const struct runfile *run);

/* Read one; free it with runfile_free. 0; -ENOENT; -EPERM another user's or no
 * regular file; -EFBIG; -EBADMSG no run file of this version; -ENOMEM. */
int runfile_read(const char *path, struct runfile *run);

/* The finish command has run: a later reader finds none. */
void runfile_seal(const char *path);

/* Free what runfile_read stored. */
void runfile_free(struct runfile *run);

/* The words of a command with spaces between them, as much of them as fits; "" for NULL. */
void command_format(char *const *command, char *text, size_t size);

#endif

/*
 * The run file: what `invctl run` knows of its command and the table has no
 * room for. list and show read the command and its directory from it, and the
 * broker the stop command of an action whose supervisor has died. It lies in
 * the state directory, is mode 0600, and only its owner's is ever believed: no
 * command is taken from the shared table.
 *
 * It is NUL-terminated strings: a format line, directory, stop command, finish
 * command (each may be empty), and the command's words.
 */
#ifndef RUNFILE_H
#define RUNFILE_H

struct runfile {
	char *cwd;            /* NULL: not known */
	char *stop_command;   /* NULL: none */
	char *finish_command; /* NULL: none */
	char **command;       /* ends with NULL */
};

/* Write a new file: the whole of it, or none. 0; -EEXIST; -ENOSPC and the like. */
int runfile_write(const char *path, const struct runfile *run);

/* Read one; free it with runfile_free. 0; -ENOENT; -EPERM another user's or no
 * regular file; -EFBIG; -EBADMSG no run file of this version; -ENOMEM. */
int runfile_read(const char *path, struct runfile *run);

/* Free what runfile_read stored. */
void runfile_free(struct runfile *run);

#endif

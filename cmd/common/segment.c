/*
 * Why a segment can't be used: see segment.h.
 *
 * A sentence that advises to remove a segment could end what lives in it. So none does unless
 * the kernel confirms that no process has the segment open: it grants a write lease
 * (F_SETLEASE) then only. Whether a table is healthy can't be told where its owner shows as
 * user "nobody": in a user namespace that does not map the owner.
 */
#include "common/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "invctl-exit-status.h"
#include "invctl.h"

#define DIRECTORY "/dev/shm/"

enum { MODE_PRIVATE = 0600, MODE_SHARED = 0660, ADVICE_BYTES = 200 };

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return "a symbolic link";
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFREG:
		return NULL;
	default:
		return "a device";
	}
}

static bool read_numbers(const char *path, const char *format, unsigned *number)
{
	FILE *file = fopen(path, "re");
	bool found = file && fscanf(file, format, number) == 1;

	if (file)
		fclose(file);
	return found;
}

/* kind: uid or gid. What a user namespace does not map shows as the overflow id. */
static bool is_unmapped(const char *kind, unsigned id)
{
	char path[48];
	unsigned overflow = 65534, mapped = 0;

	snprintf(path, sizeof(path), "/proc/sys/kernel/overflow%s", kind);
	read_numbers(path, "%u", &overflow);
	snprintf(path, sizeof(path), "/proc/self/%s_map", kind);
	read_numbers(path, "%*u %*u %u", &mapped);
	return id == overflow && mapped != UINT32_MAX;
}

static bool owner_is_hidden(const struct stat *status)
{
	return is_unmapped("uid", status->st_uid) ||
	       ((status->st_mode & 07777) == MODE_SHARED && is_unmapped("gid", status->st_gid));
}

/* What the user can do, as far as it ends nothing that lives. */
static void advise_removal(const char *table, char advice[ADVICE_BYTES])
{
	char path[sizeof(DIRECTORY) + INV_TABLE_NAME_BYTES];

	snprintf(path, sizeof(path), DIRECTORY "%s", table);
	/* Another process that opens it meanwhile would cause one, which ends a process. */
	signal(SIGIO, SIG_IGN);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool granted = fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
	bool in_use = fd >= 0 && !granted && errno == EAGAIN;
	if (fd >= 0)
		close(fd);
	if (granted)
		snprintf(advice, ADVICE_BYTES, "no process uses it: remove it with 'rm %s'", path);
	else if (in_use)
		snprintf(advice, ADVICE_BYTES,
		         "processes still use it ('fuser -v %s' names them): let them end first",
		         path);
	else
		snprintf(advice, ADVICE_BYTES, "its owner can find out what it is");
}

/* Why its owner and mode forbid to use it. false: they don't. */
static bool explain_denial(const char *table, const struct stat *status, int error, char *sentence)
{
	const size_t size = SEGMENT_SENTENCE_BYTES;
	unsigned mode = status->st_mode & 07777, uid = status->st_uid, gid = status->st_gid;
	char advice[ADVICE_BYTES];

	/* Root sees what is in any table, but registers only in its own (lib/table/attach.c). */
	if (geteuid() == 0 && uid != 0 && (error == -EACCES || mode != MODE_SHARED)) {
		snprintf(sentence, size,
		         "table '%s' belongs to user %u, who could end what root runs in it: use "
		         "another --table, or name it in /etc/invctl/table",
		         table, uid);
	} else if (status->st_uid != geteuid() && mode != MODE_SHARED) {
		snprintf(sentence, size,
		         "table '%s' is not yours to open: " DIRECTORY "%s belongs to user %u; "
		         "use another --table",
		         table, table, uid);
	} else if (mode != MODE_PRIVATE && mode != MODE_SHARED) {
		advise_removal(table, advice);
		snprintf(sentence, size,
		         DIRECTORY "%s has mode %04o, which is not that of a table (0600, or 0660 "
		                   "for a shared one): others may have written to it; %s",
		         table, mode, advice);
	} else if (status->st_nlink > 1) {
		snprintf(sentence, size,
		         DIRECTORY "%s has a second name, which no table has: find it with 'find "
		                   "/dev/shm -samefile " DIRECTORY "%s', and remove that one",
		         table, table);
	} else if (mode == MODE_SHARED && status->st_uid != geteuid() &&
	           status->st_gid != getegid() && !group_member(status->st_gid)) {
		snprintf(sentence, size,
		         "table '%s' is not yours to open: it belongs to user %u, who shares it "
		         "with group %u; have yourself made a member and log in anew, or use "
		         "another --table",
		         table, uid, gid);
	} else {
		return false;
	}
	return true;
}

static void explain_contents(const char *table, const struct stat *status, int error,
                             char *sentence)
{
	const size_t size = SEGMENT_SENTENCE_BYTES;
	char advice[ADVICE_BYTES];

	if (error == -EPROTO) {
		snprintf(sentence, size,
		         "table '%s' was made by another version of invctl than this one (%s): its "
		         "actions go on; when they have ended, and its broker with them, a new "
		         "table takes its place; until then use that version, or another --table",
		         table, inv_version());
		return;
	}
	advise_removal(table, advice);
	snprintf(sentence, size,
	         DIRECTORY "%s (%lld bytes) is damaged or no table of invctl; %s, or use another "
	                   "--table",
	         table, (long long)status->st_size, advice);
}

int segment_explain(const char *table, int error, char sentence[SEGMENT_SENTENCE_BYTES])
{
	char path[sizeof(DIRECTORY) + INV_TABLE_NAME_BYTES];
	struct stat status = {0};
	const char *kind;

	snprintf(path, sizeof(path), DIRECTORY "%s", table);
	bool there = lstat(path, &status) == 0;
	if (there && (kind = kind_of(status.st_mode))) {
		snprintf(sentence, SEGMENT_SENTENCE_BYTES,
		         DIRECTORY "%s is %s, not a table; find out who put it there, remove it, "
		                   "or use another --table",
		         table, kind);
		return EXIT_NO_TABLE;
	}
	if (there && owner_is_hidden(&status)) {
		snprintf(sentence, SEGMENT_SENTENCE_BYTES,
		         "table '%s' can't be used here: this user namespace does not map the "
		         "owner of " DIRECTORY "%s; leave the namespace, map that user into it "
		         "('unshare --map-current-user'), or use another --table",
		         table, table);
		return EXIT_DENIED;
	}
	/* Root may read another user's file: it is not root's to judge all the same. */
	if (error == -EBADMSG && there && explain_denial(table, &status, error, sentence))
		return EXIT_DENIED;
	if (error == -EBADMSG || error == -EPROTO) {
		explain_contents(table, &status, error, sentence);
		return EXIT_NO_TABLE;
	}
	if (!there || !explain_denial(table, &status, error, sentence))
		snprintf(sentence, SEGMENT_SENTENCE_BYTES,
		         "table '%s' is not yours to open: %s; see 'ls -l " DIRECTORY
		         "%s', or use another --table",
		         table, inv_strerror(error), table);
	return EXIT_DENIED;
}

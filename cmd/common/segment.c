/* What lies under a table's name, for people: see segment.h. */
#include "common/segment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/exit_status.h"
#include "invctl.h"

#define DIRECTORY "/dev/shm/"

enum { MODE_PRIVATE = 0600, MODE_SHARED = 0660 };

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

/* Say why it may not be opened at all, or be believed; false: that is not why. */
static bool explain_denial(const char *table, const struct stat *status, char *sentence)
{
	const size_t size = SEGMENT_SENTENCE_BYTES;
	unsigned mode = status->st_mode & 07777, uid = status->st_uid, gid = status->st_gid;

	if (status->st_uid != geteuid() && mode != MODE_SHARED)
		snprintf(sentence, size,
		         "table '%s' is not yours to open: " DIRECTORY "%s belongs to user %u; "
		         "use another --table, or have it removed",
		         table, table, uid);
	else if (mode != MODE_PRIVATE && mode != MODE_SHARED)
		snprintf(sentence, size,
		         DIRECTORY "%s has mode %04o, which is not that of a table (0600, or 0660 "
		                   "for a shared one): others may have written to it; remove it "
		                   "with 'rm " DIRECTORY "%s'",
		         table, mode, table);
	else if (status->st_nlink > 1)
		snprintf(sentence, size,
		         DIRECTORY "%s has a second name, which no table has: find it with 'find "
		                   "/dev/shm -samefile " DIRECTORY "%s', and remove both",
		         table, table);
	else if (mode == MODE_SHARED && status->st_uid != geteuid() &&
	         !group_member(status->st_gid))
		snprintf(sentence, size,
		         "table '%s' is not yours to open: it belongs to user %u, who shares it "
		         "with group %u; have yourself made a member and log in anew, or use "
		         "another --table",
		         table, uid, gid);
	else
		return false;
	return true;
}

static void explain_contents(const char *table, const struct stat *status, int error,
                             char *sentence)
{
	const size_t size = SEGMENT_SENTENCE_BYTES;

	if (error == -EPROTO)
		snprintf(sentence, size,
		         "table '%s' was made by another version of invctl than this one (%s): its "
		         "actions go on; when they have ended, and its broker with them, a new "
		         "table "
		         "takes its place; until then use that version, or another --table",
		         table, inv_version());
	else
		snprintf(sentence, size,
		         DIRECTORY "%s (%lld bytes) is damaged or no table of invctl; remove it "
		                   "with 'rm " DIRECTORY "%s', or use another --table",
		         table, (long long)status->st_size, table);
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
	if (error == -EBADMSG || error == -EPROTO) {
		explain_contents(table, &status, error, sentence);
		return EXIT_NO_TABLE;
	}
	if (!there || !explain_denial(table, &status, sentence))
		snprintf(sentence, SEGMENT_SENTENCE_BYTES,
		         "table '%s' is not yours to open: %s; see 'ls -l " DIRECTORY
		         "%s', or use another --table",
		         table, inv_strerror(error), table);
	return EXIT_DENIED;
}

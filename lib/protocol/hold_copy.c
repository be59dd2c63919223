/*
 * The broker's copy of the hold.
 *
 * The hold stands in the table, which does not outlive the machine. The file "hold" in the table's
 * state directory does. The table is right while it exists, and the copy only where a table is
 * made:
 *
 *   put, release   by any process, in the table alone (hold.c); the broker is notified
 *   keep           by the broker: reads the hold's word; writes the copy under another name,
 *                  syncs, renames it into place and syncs the directory, or removes it; then
 *                  stores that word in the header as hold_stored
 *   make           by the broker that makes a table: the hold that the copy shows is in the
 *                  segment before it has a name, so that no registrar comes before it
 *
 * One process writes the copy: the one that has the broker's lease. Who puts a hold up or releases
 * it, and must know that it survives the machine, waits until hold_stored is the hold's word; a
 * broker that is stopped, or that can't write, does not come to that, and the caller can say so.
 *
 * A SIGKILL
 *   of the holder before it notifies   the table has the hold; the next change of any kind, or
 *                                      the next broker, stores it
 *   of the broker before hold_stored   the copy is the former one or the new one, each whole; the
 *                                      next broker of this table stores it again
 *   of the broker between the name     the copy shows what the table has; it is stored again
 *   of a new table and hold_stored
 * While no broker lives, a hold and a release are in the table alone. If the table is lost as well,
 * the copy shows what stood before, and no caller has seen that it was stored.
 * A table that holds a hold, or whose copy is not up to date, is not removed when its broker ends.
 *
 * What lies under the copy's name and can't be read, or is another user's, stands for a hold
 * without a note: nothing starts until an operator has released it.
 */
#include "protocol/hold_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file_write.h"
#include "os/futex.h"
#include "os/state_directory.h"
#include "protocol/hold.h"

#define NEW_NAME STATE_HOLD ".new"
#define FORMAT_LINE "invctl hold 1"
#define LAST_LINE "end"

enum { COPY_BYTES = 1024 };

bool hold_is_stored(const inv_table *table)
{
	return atomic_load(&table->header->hold_stored) == atomic_load(&table->header->hold.word);
}

int hold_await_stored(const inv_table *table, int64_t until_ns)
{
	const shared_u64 *stored = &table->header->hold_stored;
	int64_t slice_end_ns = clock_monotonic_ns() + WAIT_SLICE_NS;
	uint64_t seen = atomic_load(stored);

	if (seen == atomic_load(&table->header->hold.word))
		return 0;
	int error = futex_wait(futex_low_half(stored), (uint32_t)seen,
	                       until_ns >= 0 && until_ns < slice_end_ns ? until_ns : slice_end_ns);
	return error == -EINTR ? -EINTR : 0;
}

/* Strings, each with its NUL, as in a run file: the text of a note may have any other byte. */
static size_t encode(const struct inv_request *hold, char text[COPY_BYTES])
{
	int length = snprintf(text, COPY_BYTES,
	                      FORMAT_LINE "%ctime=%lld%cuid=%u%cpid=%d%ccommand=%s%cterminal=%s%c"
	                                  "script=%s%caddress=%s%cnote=%s%c" LAST_LINE "%c",
	                      0, (long long)hold->time_ns, 0, hold->uid, 0, hold->pid, 0,
	                      hold->command, 0, hold->terminal, 0, hold->script, 0, hold->address,
	                      0, hold->reason, 0, 0);

	return (size_t)length;
}

static int write_whole(int directory, const char *text, size_t size)
{
	int fd = openat(directory, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	                0600);

	if (fd < 0)
		return -errno;
	ssize_t written = file_write(fd, text, size);
	int error = written < 0 ? -errno : (size_t)written != size ? -ENOSPC : 0;
	if (!error && fsync(fd) != 0)
		error = -errno;
	if (close(fd) != 0 && !error)
		error = -errno;
	return error;
}

static int replace(int directory, const struct inv_request *hold)
{
	char text[COPY_BYTES];

	/* Of a broker that was killed. */
	unlinkat(directory, NEW_NAME, 0);
	int error = write_whole(directory, text, encode(hold, text));
	if (!error && renameat(directory, NEW_NAME, directory, STATE_HOLD) != 0)
		error = -errno;
	if (error)
		unlinkat(directory, NEW_NAME, 0);
	return error;
}

/* A descriptor of the table's state directory that can be synced. */
static int open_directory(const char *table_name)
{
	int place = state_directory_open(table_name);

	if (place < 0)
		return place;
	int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 ? -errno : 0;
	close(place);
	return error ? error : fd;
}

/* hold: NULL where none stands. */
static int store(const char *table_name, const struct inv_request *hold)
{
	int directory = open_directory(table_name), error = 0;

	if (directory < 0)
		return directory;
	if (hold)
		error = replace(directory, hold);
	else if (unlinkat(directory, STATE_HOLD, 0) != 0 && errno != ENOENT)
		error = -errno;
	/* Some file systems have no such call. */
	if (!error && fsync(directory) != 0 && errno != EINVAL)
		error = -errno;
	close(directory);
	return error;
}

int hold_copy_keep(inv_table *table)
{
	struct header *header = table->header;
	uint64_t word = atomic_load(&header->hold.word);
	struct inv_request hold;

	if (atomic_load(&header->hold_stored) == word)
		return 0;
	bool held = hold_read(table, &hold);
	if (atomic_load(&header->hold.word) != word)
		return -EAGAIN;
	int error = store(table->name, held ? &hold : NULL);
	if (error)
		return error;
	/* The word that was read: what has changed since is stored by the next call. */
	atomic_store(&header->hold_stored, word);
	futex_wake_all(futex_low_half(&header->hold_stored));
	return 0;
}

/* The text of a whole copy, at most size bytes. Its length; -errno. */
static ssize_t read_copy(int fd, const struct stat *status, char *text, size_t size)
{
	if (!S_ISREG(status->st_mode) || status->st_uid != geteuid() ||
	    (status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return -EPERM;
	ssize_t length = read(fd, text, size);
	if (length < 0)
		return -errno;
	return length == status->st_size ? length : -EBADMSG;
}

/* Copy the value of a "KEY=VALUE" string. false: it has another key. */
static bool take_text(const char *string, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	if (strncmp(string, key, length) != 0)
		return false;
	snprintf(value, size, "%s", string + length);
	return true;
}

static void take_value(const char *string, struct inv_request *hold)
{
	char number[32];

	if (take_text(string, "time=", number, sizeof(number)))
		hold->time_ns = strtoll(number, NULL, 10);
	else if (take_text(string, "uid=", number, sizeof(number)))
		hold->uid = (uint32_t)strtoul(number, NULL, 10);
	else if (take_text(string, "pid=", number, sizeof(number)))
		hold->pid = (int32_t)strtol(number, NULL, 10);
	else if (!take_text(string, "command=", hold->command, sizeof(hold->command)) &&
	         !take_text(string, "terminal=", hold->terminal, sizeof(hold->terminal)) &&
	         !take_text(string, "script=", hold->script, sizeof(hold->script)) &&
	         !take_text(string, "address=", hold->address, sizeof(hold->address)))
		take_text(string, "note=", hold->reason, sizeof(hold->reason));
}

/* From the format line to the last line; unknown keys are skipped. */
static bool decode(const char *text, size_t size, struct inv_request *hold)
{
	const char *string = text, *end = text + size, *last = "";

	if (size == 0 || end[-1] != '\0' || strcmp(string, FORMAT_LINE) != 0)
		return false;
	for (; string < end; string += strlen(string) + 1) {
		take_value(string, hold);
		last = string;
	}
	return strcmp(last, LAST_LINE) == 0;
}

static bool read_hold(int fd, struct inv_request *hold)
{
	char text[COPY_BYTES];
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		return false;
	ssize_t size = read_copy(fd, &status, text, sizeof(text));
	bool whole = size > 0 && decode(text, (size_t)size, hold);
	if (!whole) {
		*hold = (struct inv_request){.uid = status.st_uid};
		snprintf(hold->reason, sizeof(hold->reason), "its stored copy is damaged");
	}
	/* Its writer did not know it. */
	if (hold->time_ns <= 0)
		hold->time_ns = (int64_t)status.st_mtim.tv_sec * NS_PER_SECOND;
	return whole;
}

enum hold_copy hold_copy_read(const char *table_name, struct request_record *record)
{
	struct inv_request hold = {.reason = "its stored copy can't be read"};
	int directory = state_directory_open(table_name);
	int fd = directory < 0 ? -1
	                       : openat(directory, STATE_HOLD,
	                                O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	bool none = directory < 0 || (fd < 0 && errno == ENOENT);
	bool whole = read_hold(fd, &hold);
	int64_t age_ns = hold.time_ns > 0 ? clock_realtime_ns() - hold.time_ns : 0;

	if (directory >= 0)
		close(directory);
	if (fd >= 0)
		close(fd);
	if (none)
		return HOLD_COPY_NONE;
	hold.cause = INV_CAUSE_HOLD;
	hold.age_ns = age_ns > 0 ? age_ns : 0;
	hold_restore(record, &hold);
	return whole ? HOLD_COPY_WHOLE : HOLD_COPY_UNUSABLE;
}

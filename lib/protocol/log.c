/*
 * An invocation's log: labthings' per-invocation logger.
 *
 * A file in the state directory, a line a record:
 *
 *   TIME-IN-NANOSECONDS LEVEL LENGTH TEXT
 *
 * with backslash and newline in the text as \\ and \n, and its length in bytes as it stands
 * there. Each record is one append, which the kernel keeps whole, so that any number of
 * processes may log at once, and a SIGKILL leaves whole records. A disk that fills up may cut
 * one short: it counts as lost, and by its length a reader knows that it is none. When the file has
 * grown to LOG_BYTES it becomes ID.log.1, in the place of the one before: a record is at most
 * RECORD_BYTES, so the last thousand are always in the two.
 */
#include "protocol/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/state_directory.h"

enum {
	RECORD_BYTES = 4096,
	HEAD_BYTES = 40, /* at most: time, level, length, and the end of the line */
	TEXT_BYTES = RECORD_BYTES - HEAD_BYTES,
	LONGEST_CHARACTER = 4,
	RECORDS_KEPT = 1000,
	LOG_BYTES = RECORD_BYTES * RECORDS_KEPT,
};

/* The text as it stands in a record; shortened, at a whole character, to what that may hold. */
static size_t encode_text(char *to, size_t room, const char *text)
{
	size_t length = 0;

	for (; *text; text++) {
		bool begins = ((unsigned char)*text & 0xc0) != 0x80;
		if (length + (begins ? LONGEST_CHARACTER : 2) > room)
			break;
		if (*text == '\\' || *text == '\n') {
			to[length++] = '\\';
			to[length++] = *text == '\n' ? 'n' : '\\';
		} else {
			to[length++] = *text;
		}
	}
	return length;
}

/* One line. */
static size_t encode(char record[RECORD_BYTES], int level, const char *text)
{
	char encoded[TEXT_BYTES];
	size_t length = encode_text(encoded, sizeof(encoded), text);
	int head = snprintf(record, RECORD_BYTES, "%lld %d %zu ", (long long)clock_realtime_ns(),
	                    level, length);

	memcpy(record + head, encoded, length);
	record[(size_t)head + length] = '\n';
	return (size_t)head + length + 1;
}

/* A record that found the disk full may have left a line without its end. */
static bool ends_within_a_line(int fd)
{
	struct stat status;
	char last;

	return fstat(fd, &status) == 0 && status.st_size > 0 &&
	       pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

static int append(int fd, const char *record, size_t length)
{
	if (ends_within_a_line(fd) && write(fd, "\n", 1) < 0)
		return -errno;
	ssize_t written = write(fd, record, length);
	if (written < 0)
		return -errno;
	/* The end of the line may be missing: whoever comes next makes up for it. */
	if ((size_t)written >= length - 1)
		return 0;
	/* The disk filled up in the middle of the record. End the line, if a byte can be had,
	 * so that the next record stands by itself. */
	return write(fd, "\n", 1) < 0 ? -errno : -ENOSPC;
}

/* The file is full: make it the former one, unless a rival has done so. */
static void rotate(int fd, const char *path)
{
	char former[STATE_PATH_BYTES + 2];
	struct stat open_file, named_file;

	if (flock(fd, LOCK_EX) != 0)
		return;
	snprintf(former, sizeof(former), "%s.1", path);
	if (fstat(fd, &open_file) == 0 && stat(path, &named_file) == 0 &&
	    open_file.st_ino == named_file.st_ino)
		rename(path, former);
	/* The lock goes with the descriptor. */
}

static int append_to(const char *path, const char *record, size_t length)
{
	struct stat status;
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && status.st_size >= LOG_BYTES) {
		rotate(fd, path);
		close(fd);
		fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -errno;
	}
	int error = append(fd, record, length);
	close(fd);
	return error;
}

int log_append(inv_table *table, struct slot_ref ref, const uint8_t id[16], int level,
               const char *text)
{
	char path[STATE_PATH_BYTES], record[RECORD_BYTES];
	struct slot *slot = &table->slots[ref.index];

	if (!(atomic_load(&slot->flags) & SLOT_HAS_LOG))
		atomic_fetch_or(&slot->flags, SLOT_HAS_LOG);
	int error = state_path(table->name, id, "log", path, sizeof(path));
	if (!error)
		error = append_to(path, record, encode(record, level, text));
	if (error)
		atomic_fetch_add(&slot->log_lost, 1);
	return error;
}

static void decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && (from[1] == 'n' || from[1] == '\\'))
			*to++ = *++from == 'n' ? '\n' : '\\';
		else
			*to++ = *from;
	}
	*to = '\0';
}

/* Split a line; false: it is no record, but perhaps the remains of one. */
static bool parse(char *line, int64_t *time_ns, int *level, char **text)
{
	char *end = line + strcspn(line, "\n"), *level_at, *length_at;

	*end = '\0';
	*time_ns = strtoll(line, &level_at, 10);
	*level = (int)strtol(level_at, &length_at, 10);
	unsigned long length = strtoul(length_at, text, 10);
	if (level_at == line || length_at == level_at || *text == length_at || **text != ' ' ||
	    *level < LOG_EMERG || *level > LOG_DEBUG)
		return false;
	++*text;
	return (unsigned long)(end - *text) == length;
}

static int read_records(const char *path, int (*each)(int64_t, int, const char *, void *),
                        void *arg)
{
	char line[RECORD_BYTES + 1], *text;
	int64_t time_ns;
	int result = 0, level;
	FILE *file = fopen(path, "re");

	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (result == 0 && fgets(line, sizeof(line), file)) {
		if (!parse(line, &time_ns, &level, &text))
			continue;
		decode(text);
		result = each(time_ns, level, text, arg);
	}
	fclose(file);
	return result;
}

int log_read(const inv_table *table, const uint8_t id[16],
             int (*each)(int64_t time_ns, int level, const char *text, void *arg), void *arg)
{
	char path[STATE_PATH_BYTES];
	int error = state_path(table->name, id, "log.1", path, sizeof(path));

	if (!error)
		error = read_records(path, each, arg);
	if (!error)
		error = state_path(table->name, id, "log", path, sizeof(path));
	return error ? error : read_records(path, each, arg);
}

void log_remove(const inv_table *table, const uint8_t id[16])
{
	char path[STATE_PATH_BYTES];

	if (state_path(table->name, id, "log", path, sizeof(path)) == 0)
		unlink(path);
	if (state_path(table->name, id, "log.1", path, sizeof(path)) == 0)
		unlink(path);
}

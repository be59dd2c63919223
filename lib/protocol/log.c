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
#include "os/file_write.h"
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
	if (ends_within_a_line(fd) && file_write(fd, "\n", 1) < 0)
		return -errno;
	ssize_t written = file_write(fd, record, length);
	if (written < 0)
		return -errno;
	/* The end of the line may be missing: the next record begins with it. */
	if ((size_t)written >= length - 1)
		return 0;
	/* The disk filled up in the middle of the record. End the line, if there is room for a
	 * byte, so that the next record stands by itself. */
	return file_write(fd, "\n", 1) < 0 ? -errno : -ENOSPC;
}

/* The two files of a log: a directory, and names in it. */
struct log_files {
	int directory;
	char name[STATE_NAME_BYTES], former[STATE_NAME_BYTES];
};

static int open_files(const inv_table *table, const uint8_t id[16], struct log_files *files)
{
	files->directory = state_directory_open(table->name);
	state_file_name(id, "log", files->name);
	state_file_name(id, "log.1", files->former);
	return files->directory < 0 ? files->directory : 0;
}

static bool is_named(const struct log_files *files, const char *name, int fd)
{
	struct stat open_file, named_file;

	return fstat(fd, &open_file) == 0 &&
	       fstatat(files->directory, name, &named_file, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
}

/* The file is full: make it the former one, unless a rival has done so. */
static void rotate(const struct log_files *files, int fd)
{
	if (flock(fd, LOCK_EX) != 0)
		return;
	if (is_named(files, files->name, fd))
		renameat(files->directory, files->name, files->directory, files->former);
	/* The lock goes with the descriptor. */
}

static int open_for_append(const struct log_files *files)
{
	return openat(files->directory, files->name,
	              O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int append_to(const struct log_files *files, const char *record, size_t length)
{
	struct stat status;
	int fd = open_for_append(files);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && status.st_size >= LOG_BYTES) {
		rotate(files, fd);
		close(fd);
		fd = open_for_append(files);
		if (fd < 0)
			return -errno;
	}
	int error = append(fd, record, length);
	close(fd);
	return error;
}

/* The count stays at its maximum. */
static void count_lost(struct slot *slot)
{
	uint16_t lost = atomic_load(&slot->log_lost);

	while (lost < UINT16_MAX &&
	       !atomic_compare_exchange_weak(&slot->log_lost, &lost, (uint16_t)(lost + 1)))
		;
}

int log_append(inv_table *table, struct slot_ref ref, const uint8_t id[16], int level,
               const char *text)
{
	struct slot *slot = &table->slots[ref.index];
	char record[RECORD_BYTES];
	struct log_files files;

	if (!(atomic_load(&slot->flags) & SLOT_HAS_LOG))
		atomic_fetch_or(&slot->flags, SLOT_HAS_LOG);
	int error = open_files(table, id, &files);
	if (!error) {
		error = append_to(&files, record, encode(record, level, text));
		close(files.directory);
	}
	if (error)
		count_lost(slot);
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

static int read_records(FILE *file, int (*each)(int64_t, int, const char *, void *), void *arg)
{
	char line[RECORD_BYTES + 1], *text;
	int64_t time_ns;
	int result = 0, level;

	while (result == 0 && fgets(line, sizeof(line), file)) {
		if (!parse(line, &time_ns, &level, &text))
			continue;
		decode(text);
		result = each(time_ns, level, text, arg);
	}
	return result;
}

/* 0, also where there is none (fd is -1 then); or -errno. */
static int open_to_read(const struct log_files *files, const char *name, int *fd)
{
	*fd = openat(files->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *fd >= 0 || errno == ENOENT ? 0 : -errno;
}

static void close_both(const int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* A rotation between the two opens replaces the older file by the newer one, which would be missed.
 * Then the file that was opened as the older one has lost its name: open both again. */
static int open_both(const struct log_files *files, int fds[2])
{
	bool same;

	do {
		int error = open_to_read(files, files->former, &fds[0]);
		int second = open_to_read(files, files->name, &fds[1]);

		same = fds[0] >= 0 ? is_named(files, files->former, fds[0])
		                   : faccessat(files->directory, files->former, F_OK,
		                               AT_SYMLINK_NOFOLLOW) != 0;
		if (error || second || !same)
			close_both(fds);
		if (error || second)
			return error ? error : second;
	} while (!same);
	return 0;
}

/* Closes it. */
static int read_one(int fd, int (*each)(int64_t, int, const char *, void *), void *arg)
{
	FILE *file = fdopen(fd, "r");

	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	int result = read_records(file, each, arg);
	fclose(file);
	return result;
}

int log_read(const inv_table *table, const uint8_t id[16],
             int (*each)(int64_t time_ns, int level, const char *text, void *arg), void *arg)
{
	struct log_files files;
	int fds[2], result = open_files(table, id, &files);

	if (result)
		return result;
	result = open_both(&files, fds);
	close(files.directory);
	if (result)
		return result;
	if (fds[0] >= 0)
		result = read_one(fds[0], each, arg);
	if (fds[1] >= 0 && result == 0)
		result = read_one(fds[1], each, arg);
	else if (fds[1] >= 0)
		close(fds[1]);
	return result;
}

void log_remove(const inv_table *table, const uint8_t id[16])
{
	struct log_files files;

	if (open_files(table, id, &files) != 0)
		return;
	unlinkat(files.directory, files.name, 0);
	unlinkat(files.directory, files.former, 0);
	close(files.directory);
}

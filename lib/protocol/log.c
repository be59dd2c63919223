/*
 * An invocation's log: labthings' per-invocation logger.
 *
 * A file in the state directory, a line a record:
 *
 *   TIME-IN-NANOSECONDS LEVEL OUTPUT LENGTH TEXT
 *
 * with backslash and newline in the text as \\ and \n, and its length in bytes as it stands
 * there. OUTPUT is the length of the kept output at that moment, ID.out, to which the action's
 * processes append by themselves (run --detach): so the order of both is known, whatever is
 * killed. Each record is one append, which the kernel keeps whole, so that any number of
 * processes may log at once, and a SIGKILL leaves whole records. A disk that fills up may cut
 * one short: it counts as lost, and by its length a reader (log_reader.c) knows that it is none.
 * When the file has grown to LOG_BYTES it becomes ID.log.1, in the place of the one before: a
 * record is at most RECORD_BYTES, so the last thousand are always in the two.
 */
#include "protocol/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
	HEAD_BYTES = 64, /* at most: four numbers, and the end of the line */
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
static size_t encode(char record[RECORD_BYTES], int level, off_t output_bytes, const char *text)
{
	char encoded[TEXT_BYTES];
	size_t length = encode_text(encoded, sizeof(encoded), text);
	int head = snprintf(record, RECORD_BYTES, "%lld %d %lld %zu ",
	                    (long long)clock_realtime_ns(), level, (long long)output_bytes, length);

	memcpy(record + head, encoded, length);
	record[(size_t)head + length] = '\n';
	return (size_t)head + length + 1;
}

/* A record that found the disk full may have left a line without its end. */
static bool ends_within_a_line(int fd, off_t size)
{
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* size: of the file, or what it was a moment ago */
static int append(int fd, off_t size, const char *record, size_t length)
{
	if (ends_within_a_line(fd, size) && file_write(fd, "\n", 1) < 0)
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

int log_files_open(const char *table_name, const uint8_t id[16], struct log_files *files)
{
	files->directory = state_directory_open(table_name);
	state_file_name(id, "log", files->name);
	state_file_name(id, "log.1", files->former);
	state_file_name(id, "out", files->output);
	return files->directory < 0 ? files->directory : 0;
}

bool log_file_is_named(const struct log_files *files, const char *name, int fd)
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
	if (log_file_is_named(files, files->name, fd))
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
	struct stat status = {0};
	int fd = open_for_append(files);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && status.st_size >= LOG_BYTES) {
		rotate(files, fd);
		close(fd);
		fd = open_for_append(files);
		if (fd < 0)
			return -errno;
		status.st_size = 0;
	}
	int error = append(fd, status.st_size, record, length);
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

/* 0: none is kept. */
static off_t output_bytes(const struct log_files *files)
{
	struct stat status;

	return fstatat(files->directory, files->output, &status, AT_SYMLINK_NOFOLLOW) == 0
	               ? status.st_size
	               : 0;
}

int log_append(inv_table *table, struct slot_ref ref, const uint8_t id[16], int level,
               const char *text)
{
	struct slot *slot = &table->slots[ref.index];
	char record[RECORD_BYTES];
	struct log_files files;

	if (!(atomic_load(&slot->flags) & SLOT_HAS_LOG))
		atomic_fetch_or(&slot->flags, SLOT_HAS_LOG);
	int error = log_files_open(table->name, id, &files);
	if (!error) {
		error = append_to(&files, record,
		                  encode(record, level, output_bytes(&files), text));
		close(files.directory);
	}
	if (error)
		count_lost(slot);
	return error;
}

void log_remove(const inv_table *table, const uint8_t id[16])
{
	struct log_files files;

	if (log_files_open(table->name, id, &files) != 0)
		return;
	unlinkat(files.directory, files.name, 0);
	unlinkat(files.directory, files.former, 0);
	close(files.directory);
}

/*
 * Reading a log that may grow and be rotated meanwhile (log.c).
 *
 * Two files are open, as there are two: the former one and the one that grows. When both are read
 * to their end, and the one that grows has lost its name, it has become the former one; it stays
 * open, because a writer may have opened it before its name went. Where two rotations came at
 * once, its place is taken by the one between.
 *
 * Whatever stands in the files is untrusted: a line that is no record is skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "protocol/log.h"

enum { BUFFER_BYTES = 16 * 1024, FORMER = 0, GROWING = 1 };

struct log_file {
	int fd;            /* -1: there is none */
	size_t begin, end; /* of what was read and not used */
	bool within_line;  /* that was too long, and is skipped to its end */
	char buffer[BUFFER_BYTES + 1];
};

struct inv_log_reader {
	struct log_files files;
	struct log_file *former, *growing;
};

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

/* A line, which ends with NUL at end; false: it is no record, or not the whole of one. */
static bool parse(char *line, const char *end, struct inv_log_record *record)
{
	char *level_at, *output_at, *length_at, *text;

	record->time_ns = strtoll(line, &level_at, 10);
	record->level = (int)strtol(level_at, &output_at, 10);
	record->output_bytes = strtoull(output_at, &length_at, 10);
	unsigned long length = strtoul(length_at, &text, 10);
	if (level_at == line || output_at == level_at || length_at == output_at ||
	    text == length_at || *text != ' ' || record->level < LOG_EMERG ||
	    record->level > LOG_DEBUG)
		return false;
	text++;
	if ((unsigned long)(end - text) != length)
		return false;
	decode(text);
	record->text = text;
	return true;
}

/* 1; 0 at the end of the file; -errno. */
static int fill(struct log_file *file)
{
	if (file->begin == 0 && file->end == BUFFER_BYTES) {
		file->within_line = true;
		file->end = 0;
	}
	memmove(file->buffer, file->buffer + file->begin, file->end - file->begin);
	file->end -= file->begin;
	file->begin = 0;
	ssize_t length = read(file->fd, file->buffer + file->end, BUFFER_BYTES - file->end);
	if (length < 0)
		return -errno;
	file->end += (size_t)length;
	return length > 0;
}

/* 1 a record; 0 no more at present; -errno. */
static int next_in(struct log_file *file, struct inv_log_record *record)
{
	for (;;) {
		char *line = file->buffer + file->begin;
		char *end = memchr(line, '\n', file->end - file->begin);
		bool whole = end, within_line = file->within_line;

		if (whole) {
			file->begin += (size_t)(end - line) + 1;
			file->within_line = false;
		} else {
			end = file->buffer + file->end;
		}
		*end = '\0';
		/* A full disk may have cut off a record's end of line, and no more. */
		if (!within_line && parse(line, end, record)) {
			if (!whole)
				file->begin = file->end;
			return 1;
		}
		int filled = whole ? 1 : fill(file);
		if (filled <= 0)
			return filled;
	}
}

/* 0, also where there is none (fd is -1 then); or -errno. */
static int open_named(const struct log_files *files, const char *name, int *fd)
{
	*fd = state_file_open(files->directory, name);
	if (*fd >= 0)
		return 0;
	int error = *fd == -ENOENT ? 0 : *fd;
	*fd = -1;
	return error;
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
		int error = open_named(files, files->former, &fds[FORMER]);
		int second = open_named(files, files->name, &fds[GROWING]);

		same = fds[FORMER] >= 0 ? log_file_is_named(files, files->former, fds[FORMER])
		                        : faccessat(files->directory, files->former, F_OK,
		                                    AT_SYMLINK_NOFOLLOW) != 0;
		if (error || second || !same)
			close_both(fds);
		if (error || second)
			return error ? error : second;
	} while (!same);
	return 0;
}

static bool is_same_file(int a, int b)
{
	struct stat first, second;

	return a >= 0 && b >= 0 && fstat(a, &first) == 0 && fstat(b, &second) == 0 &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static void replace(struct log_file *file, int fd)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	file->begin = file->end = 0;
	file->within_line = false;
}

static void swap(inv_log_reader *reader)
{
	struct log_file *growing = reader->growing;

	reader->growing = reader->former;
	reader->former = growing;
}

/* What was open is read to its end: open what has come since. 1; 0 nothing; -errno. */
static int advance(inv_log_reader *reader)
{
	int fds[2];

	if (reader->growing->fd >= 0 &&
	    log_file_is_named(&reader->files, reader->files.name, reader->growing->fd))
		return 0;
	int error = open_both(&reader->files, fds);
	if (error)
		return error;
	bool more = fds[GROWING] >= 0;
	if (is_same_file(fds[FORMER], reader->growing->fd)) {
		swap(reader);
		close(fds[FORMER]);
		more = true;
	} else if (is_same_file(fds[FORMER], reader->former->fd)) {
		close(fds[FORMER]);
	} else {
		more |= fds[FORMER] >= 0;
		replace(reader->former, fds[FORMER]);
	}
	replace(reader->growing, fds[GROWING]);
	return more;
}

int log_reader_open(const char *table_name, const uint8_t id[16], inv_log_reader **out)
{
	inv_log_reader *reader = malloc(sizeof(*reader) + 2 * sizeof(struct log_file));

	if (!reader)
		return -ENOMEM;
	reader->former = (struct log_file *)(reader + 1);
	reader->growing = reader->former + 1;
	reader->former->fd = reader->growing->fd = -1;
	int error = log_files_open(table_name, id, &reader->files);
	if (!error)
		error = advance(reader);
	if (error < 0) {
		log_reader_close(reader);
		return error;
	}
	*out = reader;
	return 0;
}

int log_reader_next(inv_log_reader *reader, struct inv_log_record *record)
{
	int result = 1;

	while (result > 0) {
		result = reader->former->fd >= 0 ? next_in(reader->former, record) : 0;
		if (result == 0 && reader->growing->fd >= 0)
			result = next_in(reader->growing, record);
		if (result != 0)
			return result;
		result = advance(reader);
	}
	return result;
}

void log_reader_close(inv_log_reader *reader)
{
	if (!reader)
		return;
	replace(reader->former, -1);
	replace(reader->growing, -1);
	if (reader->files.directory >= 0)
		close(reader->files.directory);
	free(reader);
}

/* The transcript of an invocation: see transcript.h. */
#include "common/transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/duration.h"
#include "invctl-supervisor.h"
#include "os/state_directory.h"

enum { PIECE_BYTES = 64 * 1024 };

struct transcript {
	int directory;
	char output_name[STATE_NAME_BYTES];
	int output; /* -1: there is none as yet */
	off_t position;
	inv_log_reader *log;
	struct inv_log_record record;
	bool has_record; /* read, and not passed on */
	char bytes[PIECE_BYTES];
};

static int open_output(struct transcript *transcript)
{
	int fd = state_file_open(transcript->directory, transcript->output_name);

	transcript->output = fd >= 0 ? fd : -1;
	return fd >= 0 || fd == -ENOENT ? 0 : fd;
}

int transcript_open(const char *table_name, const uint8_t id[16], struct transcript **out)
{
	struct transcript *transcript = calloc(1, sizeof(*transcript));

	if (!transcript)
		return -ENOMEM;
	transcript->output = -1;
	transcript->directory = state_directory_open(table_name);
	state_file_name(id, "out", transcript->output_name);

	int error = transcript->directory < 0 ? transcript->directory : open_output(transcript);

	if (error == 0)
		error = inv_log_open(table_name, id, &transcript->log);
	if (error < 0) {
		transcript_close(transcript);
		return error;
	}
	*out = transcript;
	return 0;
}

/* Where the output goes on behind a hole; the position itself where there is none. */
static off_t data_from(const struct transcript *transcript, off_t size)
{
	off_t data = lseek(transcript->output, transcript->position, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? size : transcript->position;
	return data;
}

/* The output up to end, or its beginning. Its old part may become a hole at any moment, which
 * reads as zeros: such a piece is not passed on. */
static int read_output(struct transcript *transcript, off_t end, struct transcript_piece *piece)
{
	off_t position = transcript->position, data = data_from(transcript, end);
	ssize_t length = 0;

	while (data == position) {
		size_t room = end - position < PIECE_BYTES ? (size_t)(end - position) : PIECE_BYTES;

		length = pread(transcript->output, transcript->bytes, room, position);
		if (length <= 0)
			return length < 0 ? -errno : 0;
		data = data_from(transcript, end);
		if (data == position)
			break;
	}
	if (data > end)
		data = end;
	piece->kind = data > position ? TRANSCRIPT_LOST : TRANSCRIPT_OUTPUT;
	piece->bytes = data > position ? NULL : transcript->bytes;
	piece->length = data > position ? (uint64_t)(data - position) : (uint64_t)length;
	transcript->position += (off_t)piece->length;
	return 1;
}

static int pass_record(struct transcript *transcript, struct transcript_piece *piece)
{
	const struct inv_log_record *record = &transcript->record;

	*piece = (struct transcript_piece){.kind = TRANSCRIPT_RECORD,
	                                   .time_ns = record->time_ns,
	                                   .level = record->level,
	                                   .bytes = record->text,
	                                   .length = strlen(record->text)};
	transcript->has_record = false;
	return 1;
}

int transcript_next(struct transcript *transcript, struct transcript_piece *piece)
{
	struct stat status = {0};
	int result = transcript->output < 0 ? open_output(transcript) : 0;

	if (result == 0 && transcript->output >= 0 && fstat(transcript->output, &status) != 0)
		result = -errno;
	/* The size is read before the record: a record that comes later belongs behind it. */
	if (result == 0 && !transcript->has_record) {
		result = inv_log_next(transcript->log, &transcript->record);
		transcript->has_record = result == 1;
	}
	if (result < 0)
		return result;

	/* Another program has cut it short. */
	if (status.st_size < transcript->position)
		transcript->position = 0;

	off_t end = status.st_size;

	if (transcript->has_record && transcript->record.output_bytes < (uint64_t)end)
		end = (off_t)transcript->record.output_bytes;
	if (transcript->position < end) {
		piece->level = 0;
		piece->time_ns = transcript->has_record ? transcript->record.time_ns
		                                        : status.st_mtim.tv_sec * NS_PER_SECOND +
		                                                  status.st_mtim.tv_nsec;
		return read_output(transcript, end, piece);
	}
	return transcript->has_record ? pass_record(transcript, piece) : 0;
}

bool transcript_has_output(const struct transcript *transcript)
{
	return transcript->output >= 0;
}

void transcript_close(struct transcript *transcript)
{
	if (!transcript)
		return;
	inv_log_close(transcript->log);
	if (transcript->output >= 0)
		close(transcript->output);
	if (transcript->directory >= 0)
		close(transcript->directory);
	free(transcript);
}

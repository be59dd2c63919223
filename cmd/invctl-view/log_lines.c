/* A transcript as lines: see log_lines.h. */
#include "invctl-view/log_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "common/duration.h"
#include "common/json_writer.h"
#include "common/level.h"
#include "common/message.h"
#include "invctl-view/page.h"
#include "invctl-view/terminal.h"

/* A longer line of output is printed in parts. */
enum { LINE_BYTES = 1024 * 1024, ROOM_FIRST = 256 };

struct log_line {
	bool is_record;
	bool ended; /* output: by a newline */
	int level;
	int64_t time_ns;
	const char *text;
	size_t length;
	uint64_t lost; /* before it */
};

static void print_lost(uint64_t bytes)
{
	char size[SIZE_TEXT_BYTES];

	if (bytes == 0)
		return;
	size_format(bytes, size);
	fflush(stdout);
	message("%s of output before this are no longer kept; 'run --output-limit=SIZE' keeps more",
	        size);
}

/* UTF-8 has no NUL in text; JSON readers often end a text there. */
static void print_json(const struct log_line *line)
{
	struct json json = json_begin(stdout, 0);
	char *text = malloc(line->length + 1);

	for (size_t i = 0; text && i < line->length; i++)
		text[i] = (char)(line->text[i] == '\0' ? 0xff : line->text[i]);
	if (text)
		text[line->length] = '\0';
	json_object(&json, NULL);
	json_time(&json, "time", line->is_record ? line->time_ns : 0);
	json_text(&json, "level", line->is_record ? level_name(line->level) : "output");
	json_text(&json, "message", text);
	json_end(&json);
	free(text);
}

static void print_record(const struct log_line *line, bool terminal)
{
	time_t seconds = (time_t)(line->time_ns / NS_PER_SECOND);
	const char *color = !terminal || !terminal_has_color() ? NULL
	                    : line->level <= LOG_ERR           ? "\033[31m"
	                    : line->level == LOG_WARNING       ? "\033[33m"
	                                                       : NULL;
	struct tm at = {0};
	char day[32];

	localtime_r(&seconds, &at);
	strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &at);
	printf("%s.%03d  %s%-7s%s  ", day, (int)(line->time_ns % NS_PER_SECOND / NS_PER_MS),
	       color ? color : "", level_name(line->level), color ? "\033[0m" : "");
	if (terminal)
		page_text(line->text);
	else
		fwrite(line->text, 1, line->length, stdout);
	putchar('\n');
}

static void print_output(const struct log_line *line, bool terminal)
{
	size_t length = line->length;

	if (!terminal) {
		fwrite(line->text, 1, length, stdout);
	} else {
		/* Instruments end their lines so. */
		if (line->ended && length > 0 && line->text[length - 1] == '\r')
			length--;
		page_bytes(line->text, length);
	}
	if (line->ended)
		putchar('\n');
}

static void print(struct log_lines *lines, const struct log_line *line)
{
	print_lost(line->lost);
	if (lines->json) {
		print_json(line);
		return;
	}
	if (line->is_record && lines->within_line)
		putchar('\n');
	if (line->is_record)
		print_record(line, lines->terminal);
	else
		print_output(line, lines->terminal);
	lines->within_line = !line->is_record && !line->ended;
}

/* In the ring the newest is at kept_count - 1, modulo its room. */
static int make_room(struct log_lines *lines)
{
	size_t room = lines->kept_room > 0 ? 2 * lines->kept_room : ROOM_FIRST;

	if (lines->kept_count < lines->kept_room || lines->kept_room == lines->last)
		return 0;
	if (room > lines->last)
		room = lines->last;

	struct log_line *kept = reallocarray(lines->kept, room, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	memset(kept + lines->kept_room, 0, (room - lines->kept_room) * sizeof(*kept));
	lines->kept = kept;
	lines->kept_room = room;
	return 0;
}

static int keep(struct log_lines *lines, const struct log_line *line)
{
	char *text = NULL;

	if (lines->last == 0)
		return 0;
	if (make_room(lines) != 0 || !(text = malloc(line->length + 1)))
		return -ENOMEM;
	memcpy(text, line->text, line->length);
	text[line->length] = '\0';

	struct log_line *place = &lines->kept[lines->kept_count++ % lines->kept_room];

	free((char *)place->text);
	*place = *line;
	place->text = text;
	return 0;
}

static int pass(struct log_lines *lines, struct log_line *line)
{
	if (line->level > lines->priority || line->time_ns < lines->since_ns)
		return 0;
	if (!line->is_record) {
		line->lost = lines->lost;
		lines->lost = 0;
	}
	if (!lines->paused && lines->last != SIZE_MAX)
		return keep(lines, line);
	print(lines, line);
	return 0;
}

/* The first length bytes of the line that has begun; the rest stays. */
static int pass_begun(struct log_lines *lines, size_t length, bool ended)
{
	struct log_line line = {.ended = ended,
	                        .level = LOG_INFO,
	                        .time_ns = lines->begun_ns,
	                        .text = lines->begun ? lines->begun : "",
	                        .length = length};
	int error = pass(lines, &line);

	lines->begun_bytes -= length;
	if (lines->begun_bytes > 0)
		memmove(lines->begun, lines->begun + length, lines->begun_bytes);
	return error;
}

/* Without a character of UTF-8 whose end is still to come. */
static size_t whole_characters(const char *text, size_t length)
{
	for (size_t back = 1; back <= 3 && back <= length; back++) {
		unsigned char byte = (unsigned char)text[length - back];

		if ((byte & 0xc0) == 0x80)
			continue;
		size_t needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
		return needed > back ? length - back : length;
	}
	return length;
}

static int append(struct log_lines *lines, const char *bytes, size_t length)
{
	if (lines->begun_bytes + length > lines->begun_room) {
		size_t room = 2 * (lines->begun_bytes + length);
		char *begun = realloc(lines->begun, room);

		if (!begun)
			return -ENOMEM;
		lines->begun = begun;
		lines->begun_room = room;
	}
	memcpy(lines->begun + lines->begun_bytes, bytes, length);
	lines->begun_bytes += length;
	return 0;
}

static int add_output(struct log_lines *lines, const struct transcript_piece *piece)
{
	const char *at = piece->bytes, *end = at + piece->length;
	int error = 0;

	lines->begun_ns = piece->time_ns;
	while (error == 0 && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		error = append(lines, at, (size_t)((newline ? newline : end) - at));
		at = newline ? newline + 1 : end;
		if (error == 0 && newline)
			error = pass_begun(lines, lines->begun_bytes, true);
		else if (error == 0 && lines->begun_bytes >= LINE_BYTES)
			error = pass_begun(
			        lines, whole_characters(lines->begun, lines->begun_bytes), false);
	}
	return error;
}

static int end_begun(struct log_lines *lines)
{
	return lines->begun_bytes > 0 ? pass_begun(lines, lines->begun_bytes, false) : 0;
}

int log_lines_add(struct log_lines *lines, const struct transcript_piece *piece)
{
	struct log_line record = {.is_record = true,
	                          .level = piece->level,
	                          .time_ns = piece->time_ns,
	                          .text = piece->bytes,
	                          .length = (size_t)piece->length};
	int error;

	if (piece->kind == TRANSCRIPT_OUTPUT)
		return add_output(lines, piece);
	error = end_begun(lines);
	if (piece->kind == TRANSCRIPT_LOST)
		lines->lost += piece->length;
	else if (error == 0)
		error = pass(lines, &record);
	return error;
}

static void print_kept(struct log_lines *lines)
{
	size_t first =
	        lines->kept_count > lines->kept_room ? lines->kept_count - lines->kept_room : 0;

	for (size_t i = first; i < lines->kept_count; i++) {
		struct log_line *line = &lines->kept[i % lines->kept_room];

		print(lines, line);
		free((char *)line->text);
	}
	free(lines->kept);
	lines->kept = NULL;
	lines->kept_room = lines->kept_count = 0;
}

int log_lines_pause(struct log_lines *lines, bool end)
{
	int error = 0;

	if (end)
		error = end_begun(lines);
	else if (!lines->json && lines->begun_bytes > 0)
		error = pass_begun(lines, whole_characters(lines->begun, lines->begun_bytes),
		                   false);
	if (!lines->paused)
		print_kept(lines);
	lines->paused = true;
	if (end && lines->last > 0 && lines->priority >= LOG_INFO)
		print_lost(lines->lost);
	if (end)
		free(lines->begun);
	fflush(stdout);
	return error;
}

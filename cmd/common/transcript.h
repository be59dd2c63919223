/*
 * The transcript of an invocation: its log records and its kept output, in the order in which they
 * happened. It can be read while both grow, and after the invocation has left the table.
 *
 * A record says how long the output was when it was written (lib/protocol/log.c). So output up to
 * there comes first, and then the record. Of what different processes did at the same moment the
 * order is not known.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transcript;

enum transcript_kind {
	TRANSCRIPT_RECORD,
	TRANSCRIPT_OUTPUT,
	TRANSCRIPT_LOST, /* output that is no longer kept */
};

struct transcript_piece {
	enum transcript_kind kind;
	int64_t time_ns;   /* time of day: of a record; of output the latest that is possible */
	int level;         /* of a record, as syslog(3) */
	const char *bytes; /* until the next call: a text, with a NUL behind it; raw output; NULL */
	uint64_t length;
};

/* 0, also where there is nothing; -EPERM, -ELOOP another user's file, or no regular one; -ENOMEM;
 * as state_directory_open; errors of open(2). */
int transcript_open(const char *table_name, const uint8_t id[16], struct transcript **out);

/* 1; 0 no more at present; -errno. */
int transcript_next(struct transcript *transcript, struct transcript_piece *piece);

/* Its output is kept, or was. */
bool transcript_has_output(const struct transcript *transcript);

/* NULL is ignored. */
void transcript_close(struct transcript *transcript);

#endif

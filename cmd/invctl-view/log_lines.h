/*
 * A transcript as lines: made from its pieces, chosen, and printed as text or JSON.
 *
 * Output has no level and no time. It counts as level info, and as written at the latest moment
 * that is possible: when the next record was.
 */
#ifndef LOG_LINES_H
#define LOG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/transcript.h"

struct log_line;

struct log_lines {
	int priority;     /* this level, and more severe ones */
	int64_t since_ns; /* time of day */
	size_t last;      /* of those that are there at the first log_lines_pause; SIZE_MAX: all */
	bool json;
	bool terminal; /* stdout is one: escape what acts on it */

	/* All below is zero to begin with. */
	char *begun; /* output of a line that has not ended */
	size_t begun_bytes, begun_room;
	int64_t begun_ns;
	uint64_t lost;         /* bytes of output that are no longer kept, before what comes */
	struct log_line *kept; /* a ring of the last ones, until the first pause */
	size_t kept_room, kept_count;
	bool paused, within_line;
};

/* 0; -ENOMEM. */
int log_lines_add(struct log_lines *lines, const struct transcript_piece *piece);

/* There is no more at present: print what is there.
 *   end  nor will there be */
int log_lines_pause(struct log_lines *lines, bool end);

#endif

/*
 * Why what lies under a table's name is no table that the caller may have: a
 * sentence that names it and says what to do.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <stddef.h>

enum { SEGMENT_SENTENCE_BYTES = 480 };

/*
 * What opening the table of that name failed of, with error: -EPERM, -EACCES, -EBADMSG or
 * -EPROTO as inv_open has it. Looks at it for the sentence alone: nothing is opened, and
 * nothing removed. Returns the exit status that tells it: EXIT_DENIED or EXIT_NO_TABLE.
 */
int segment_explain(const char *table, int error, char sentence[SEGMENT_SENTENCE_BYTES]);

#endif

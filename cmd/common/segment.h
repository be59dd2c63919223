/*
 * Why the file under a table's name is no table that the caller may use: a sentence that names it
 * and a remedy that ends nothing that may live.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <stddef.h>

enum { SEGMENT_SENTENCE_BYTES = 480 };

/*
 * Explain why opening the table of that name has failed with error: -EPERM, -EACCES, -EBADMSG or
 * -EPROTO as inv_open returns it. Nothing is changed, except that SIGIO is ignored from now on.
 * Returns the exit status: EXIT_DENIED or EXIT_NO_TABLE.
 */
int segment_explain(const char *table, int error, char sentence[SEGMENT_SENTENCE_BYTES]);

#endif

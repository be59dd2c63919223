/*
 * Text of others made safe for a terminal: names and reasons come from whoever
 * registered or asked, and must not move the cursor or change the title.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copy text to out, with control characters (C0, DEL, and C1 in UTF-8) and bytes
 * that are not UTF-8 as \xNN, newline and tab as \n and \t. A text that does not fit is
 * cut at a whole character. Returns the length of out.
 */
size_t escape_text(const char *text, char *out, size_t size);

/* The bytes of the UTF-8 character that text begins with, which is not empty;
 * 0: what stands there is not UTF-8. */
size_t utf8_length(const char *text);

#endif

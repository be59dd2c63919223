/*
 * Text of others made safe for a terminal: names and reasons come from other processes, and
 * must not move the cursor, change the title, or turn the direction of what stands around them.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copy text to out, with control characters (C0, DEL, C1) and bytes that are not UTF-8 as
 * \xNN, newline and tab as \n and \t, and other characters that act on a terminal as \uNNNN
 * or \UNNNNNNNN. A text that does not fit is cut at a whole character; ESCAPED_BYTES holds any.
 * Returns the length of out.
 */
size_t escape_text(const char *text, char *out, size_t size);

/* Room for the escaped text of so many bytes, their NUL among them. */
#define ESCAPED_BYTES(bytes) (4 * (bytes))

/* The character of UTF-8 that text begins with: its code point, and its length in bytes. 0:
 * what stands there is not UTF-8. */
size_t utf8_decode(const char *text, uint32_t *point);

/* Controls; characters that turn the direction of text, end a line, or have no shape. */
bool acts_on_terminal(uint32_t point);

#endif

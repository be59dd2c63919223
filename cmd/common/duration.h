/*
 * Durations as users write and read them: a decimal number with us, ms, s (the
 * default), m, h or d, or "inf".
 */
#ifndef DURATION_H
#define DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "os/clock.h"

/*
 * Read a duration. *ns is INV_FOREVER (-1) for "inf". What is shorter than a
 * nanosecond, and not nothing, is one nanosecond.
 * 0; -EINVAL it is none (empty, a sign, hexadecimal, an exponent, an unknown
 * unit, anything behind it); -ERANGE it is longer than 292 years.
 */
int duration_parse(const char *text, int64_t *ns);

/* The sum, INV_FOREVER if either is. 0; -ERANGE. */
int duration_add(int64_t a, int64_t b, int64_t *sum);

enum { DURATION_TEXT_BYTES = 32 };

/* For people, in two units at most: "850us", "3.2s", "20s", "4m05s", "2h07m", "3d04h", "inf". */
void duration_format(int64_t ns, char text[DURATION_TEXT_BYTES]);

/* For a sentence, in seconds up to a minute: "0.3 s", "12 s", then as duration_format. Less than
 * nothing is "0.0 s". */
void duration_format_words(int64_t ns, char text[DURATION_TEXT_BYTES]);

/* In whole numbers of one unit, for how long ago something was: "0s", "4m", "2h", "3d". Less
 * than nothing is "0s". */
void duration_format_rough(int64_t ns, char text[DURATION_TEXT_BYTES]);

/* From one time of day to a later one; 0 where it is none (a table may hold any). */
int64_t elapsed_ns(int64_t from_ns, int64_t to_ns);

#endif

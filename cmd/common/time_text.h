/* Times of day as text. */
#ifndef TIME_TEXT_H
#define TIME_TEXT_H

#include <stdint.h>

enum { TIME_TEXT_BYTES = 48 };

/* RFC 3339 with the local offset and microseconds: 2024-05-01T09:30:00.123456+02:00.
 * time_ns is in nanoseconds since the epoch. */
void time_format(int64_t time_ns, char text[TIME_TEXT_BYTES]);

/*
 * A time of day as users write it: the above, or less of it, as 2024-05-01, 2024-05-01 09:30,
 * 09:30:12 (today). Without an offset it is local. 0; -EINVAL.
 */
int time_parse(const char *text, int64_t *time_ns);

/* CLOCK_REALTIME, in nanoseconds since the epoch. */
int64_t time_of_day_ns(void);

#endif

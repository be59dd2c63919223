/* Clocks in nanoseconds. Whatever waits or expires uses the monotonic one;
 * the time of day is for records alone. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static inline int64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Cheap, and up to 10 ms old. */
static inline int64_t clock_monotonic_coarse_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE);
}

static inline int64_t clock_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

static inline struct timespec clock_timespec(int64_t ns)
{
	if (ns < 0)
		ns = 0;
	return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_SECOND),
	                         .tv_nsec = (long)(ns % NS_PER_SECOND)};
}

/* now + duration on the monotonic clock; a negative duration is forever (-1), and so
 * is one that would overflow. */
static inline int64_t clock_deadline_ns(int64_t duration_ns)
{
	int64_t until_ns;

	if (duration_ns < 0 || __builtin_add_overflow(clock_monotonic_ns(), duration_ns, &until_ns))
		return -1;
	return until_ns;
}

#endif

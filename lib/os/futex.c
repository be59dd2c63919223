/* futex(2) and futex_waitv(2): see futex.h. */
#include "os/futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

enum { WAITV_MAX = 4, WAITV_SIZE_U32 = 2 };
#define FALLBACK_SLICE_NS INT64_C(10000000)
#define FAR_OFF_NS (INT64_MAX / 2)

/* struct futex_waitv of linux/futex.h, which older headers lack. */
struct waitv_entry {
	uint64_t value;
	uint64_t address;
	uint32_t flags;
	uint32_t reserved;
};

const _Atomic uint32_t *futex_low_half(const _Atomic uint64_t *word)
{
	static const union {
		uint32_t number;
		uint8_t first;
	} order = {1};

	return (const _Atomic uint32_t *)word + (order.first == 1 ? 0 : 1);
}

int futex_wait(const _Atomic uint32_t *word, uint32_t seen, int64_t until_ns)
{
	/* A time far off rather than none: without one the kernel would restart
	 * the wait after a handler installed with SA_RESTART. FUTEX_WAIT_BITSET takes an
	 * absolute time, so that a wait that is taken up again does not grow. */
	struct timespec until = clock_timespec(until_ns < 0 ? FAR_OFF_NS : until_ns);

	long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, seen, &until, NULL,
	                      FUTEX_BITSET_MATCH_ANY);
	if (result == 0 || errno == EAGAIN)
		return 0;
	return -errno;
}

void futex_wake_all(const _Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int wait_any_by_slices(const struct futex_watch *watch, int64_t until_ns)
{
	int64_t slice_end_ns = clock_monotonic_ns() + FALLBACK_SLICE_NS;
	bool last = until_ns >= 0 && until_ns <= slice_end_ns;
	int result = futex_wait(watch->word, watch->seen, last ? until_ns : slice_end_ns);

	return result == -ETIMEDOUT && !last ? 0 : result;
}

int futex_wait_any(const struct futex_watch *watch, size_t count, int64_t until_ns)
{
	struct waitv_entry entries[WAITV_MAX];
	struct timespec until = clock_timespec(until_ns);

	for (size_t i = 0; i < count; i++)
		entries[i] = (struct waitv_entry){.value = watch[i].seen,
		                                  .address = (uintptr_t)watch[i].word,
		                                  .flags = WAITV_SIZE_U32};
	long result = syscall(SYS_futex_waitv, entries, count, 0, until_ns < 0 ? NULL : &until,
	                      CLOCK_MONOTONIC);
	if (result >= 0 || errno == EAGAIN)
		return 0;
	if (errno == ENOSYS || errno == EPERM)
		return wait_any_by_slices(watch, until_ns);
	return -errno;
}

/*
 * futex(2) on words shared between processes, and on private ones.
 * The PRIVATE flag is never used on a word of a segment: separate mappings of
 * one file would not meet.
 */
#ifndef FUTEX_H
#define FUTEX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "os/clock.h"

/* A sleeper checks again this often: a waker killed between its compare-and-swap
 * and its wake costs one slice, and no more. */
#ifndef WAIT_SLICE_NS
#define WAIT_SLICE_NS (NS_PER_SECOND / 2)
#endif

/* The futex half of a 64-bit word. */
const _Atomic uint32_t *futex_low_half(const _Atomic uint64_t *word);

/* Sleep while *word is seen, until until_ns of CLOCK_MONOTONIC (-1: forever).
 * 0 woken, or the word differs; -ETIMEDOUT; -EINTR a signal handler has run. */
int futex_wait(const _Atomic uint32_t *word, uint32_t seen, int64_t until_ns);

/* Wake all. Never fewer: a wake of one, taken by a waiter that is being killed, is lost. */
void futex_wake_all(const _Atomic uint32_t *word);

struct futex_watch {
	const _Atomic uint32_t *word; /* shared between processes or not */
	uint32_t seen;
};

/*
 * Sleep while every one of count (at most 4) words is as seen. As futex_wait.
 * Kernels before 5.16 lack futex_waitv(2): there it sleeps on the first word, in
 * slices of 10 ms.
 */
int futex_wait_any(const struct futex_watch *watch, size_t count, int64_t until_ns);

#endif

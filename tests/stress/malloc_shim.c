/*
 * Memory that runs out: to be preloaded.
 *
 * The first MALLOC_WORKS_TIMES allocations of the process are granted, no later one is.
 * What the process starts is spared.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

static atomic_long left = -1; /* negative: not known yet, and all are granted */

__attribute__((constructor)) static void begin(void)
{
	const char *times = getenv("MALLOC_WORKS_TIMES");

	unsetenv("LD_PRELOAD");
	if (times)
		atomic_store(&left, strtol(times, NULL, 10));
}

static int granted(void)
{
	long now = atomic_load(&left);

	while (now > 0 && !atomic_compare_exchange_weak(&left, &now, now - 1))
		;
	if (now != 0)
		return 1;
	errno = ENOMEM;
	return 0;
}

void *malloc(size_t size)
{
	return granted() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
	return granted() ? __libc_calloc(count, size) : NULL;
}

void *realloc(void *old, size_t size)
{
	return granted() ? __libc_realloc(old, size) : NULL;
}

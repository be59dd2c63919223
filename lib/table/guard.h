/* The SIGBUS guard: a table truncated under use reads as zeros. */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Guard a mapping (installs the handler once). 0, or -ENOSPC: too many. */
int guard_add(void *base, size_t bytes);
void guard_remove(void *base);

/* Whether this program has installed the guard. */
bool guard_installed(void);

#endif

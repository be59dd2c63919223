/* The cheapest check there could be behind a shared library's call: see yardstick.h. */
#include "yardstick.h"

__attribute__((visibility("default"))) int yardstick_load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire) != 0;
}

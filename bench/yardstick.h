/* What a check is measured beside: libyardstick.so, called as libinvctl.so is. */
#ifndef YARDSTICK_H
#define YARDSTICK_H

#include <stdatomic.h>
#include <stdint.h>

/* An acquire load: 1 if the word is not 0. */
int yardstick_load(const _Atomic uint64_t *word);

#endif

/* Included before every file of the library that the kill test is built with: the length
 * of a waiter's slice is the harness's to choose. */
#ifndef SLICE_H
#define SLICE_H

#include <stdint.h>

extern int64_t crash_slice_ns;
#define WAIT_SLICE_NS crash_slice_ns

#endif

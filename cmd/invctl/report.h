/* How far a request has come, and what would be the next stronger step: for people. */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "invctl.h"

/* Print a line on stdout about an invocation that inv_cancel was called for with these flags. */
void report_request(inv_table *table, const uint8_t id[16], unsigned flags);

#endif

/* What became of those that stop-all has requested to stop. See stop_report.c. */
#ifndef STOP_REPORT_H
#define STOP_REPORT_H

#include <stdint.h>

#include "invctl/stop_tables.h"

struct stop_outcome {
	size_t ended;
	size_t cleaning_up;
	size_t not_responding; /* and those of which nothing is known */
};

/* Wait until all have ended, or until_ns (monotonic; INV_FOREVER) has come. A line for each, when
 * it has ended or when the time is over. */
void stop_report(struct stop *stop, int64_t until_ns, struct stop_outcome *outcome);

#endif

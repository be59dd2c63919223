/* Removing the logs, output and run files of invocations that ended long ago: see old_files.c. */
#ifndef OLD_FILES_H
#define OLD_FILES_H

#include "api/broker.h"

/* Remove those that were last written more than 30 days ago, as far as the clock is trusted. */
void old_files_remove(inv_table *table);

#endif

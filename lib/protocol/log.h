/* The files behind inv_log: see log.c. */
#ifndef LOG_H
#define LOG_H

#include "table/table.h"

/* What leaves no record leaves no log. */
void log_remove(const inv_table *table, const uint8_t id[16]);

#endif

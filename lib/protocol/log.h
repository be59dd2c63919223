/* The file behind inv_log: see log.c. */
#ifndef LOG_H
#define LOG_H

#include "table/table.h"

/* Append a record. level as syslog(3). 0; -errno: it was not written, and counted as lost. */
int log_append(inv_table *table, struct slot_ref ref, const uint8_t id[16], int level,
               const char *text);

/* As inv_log_read. */
int log_read(const inv_table *table, const uint8_t id[16],
             int (*each)(int64_t time_ns, int level, const char *text, void *arg), void *arg);

/* An event or context leaves no record, and no log. */
void log_remove(const inv_table *table, const uint8_t id[16]);

#endif

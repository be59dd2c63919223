/* The file behind inv_log: see log.c; and its reader: see log_reader.c. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

#include "invctl-supervisor.h"
#include "os/state_directory.h"
#include "table/table.h"

/* The files of a log and of the kept output: a directory, and names in it. */
struct log_files {
	int directory;
	char name[STATE_NAME_BYTES], former[STATE_NAME_BYTES], output[STATE_NAME_BYTES];
};

/* 0, or as state_directory_open. The caller closes the directory. */
int log_files_open(const char *table_name, const uint8_t id[16], struct log_files *files);

/* The open file has that name in the directory. */
bool log_file_is_named(const struct log_files *files, const char *name, int fd);

/* Append a record. level as syslog(3). 0; -errno: it was not written, and counted as lost. */
int log_append(inv_table *table, struct slot_ref ref, const uint8_t id[16], int level,
               const char *text);

/* As inv_log_open, inv_log_next, inv_log_close. */
int log_reader_open(const char *table_name, const uint8_t id[16], inv_log_reader **out);
int log_reader_next(inv_log_reader *reader, struct inv_log_record *record);
void log_reader_close(inv_log_reader *reader);

/* An event or context leaves no record, and no log. */
void log_remove(const inv_table *table, const uint8_t id[16]);

#endif

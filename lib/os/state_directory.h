/* Files kept beside the table: logs, output, run files. See state_directory.c. */
#ifndef OS_STATE_DIRECTORY_H
#define OS_STATE_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

enum { STATE_PATH_BYTES = 4096 };

/* DIRECTORY/TABLE/ID.SUFFIX; the directories are made. 0; -ENXIO there is no home;
 * -ENAMETOOLONG; the errors of mkdir(2). */
int state_path(const char *table_name, const uint8_t id[16], const char *suffix, char *path,
               size_t size);

#endif

/* Files kept beside the table: logs, output, run files. See state.c. */
#ifndef OS_STATE_DIRECTORY_H
#define OS_STATE_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

enum { STATE_PATH_BYTES = 4096 };

/* DIRECTORY/TABLE/ID.SUFFIX, the directories made. Errors as inv_state_path. */
int state_path(const char *table_name, const uint8_t id[16], const char *suffix, char *path,
               size_t size);

#endif

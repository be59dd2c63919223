/* Files kept beside the table: logs, output, run files. See state_directory.c. */
#ifndef OS_STATE_DIRECTORY_H
#define OS_STATE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATE_PATH_BYTES = 4096, STATE_NAME_BYTES = 64 };

/* The table's directory, which is made: a descriptor for openat(2) and the like. -ENOTDIR: there
 * is no home, or INVCTL_STATE_DIR is relative; -EPERM: another user's link leads there;
 * -ENAMETOOLONG; the errors of mkdir(2) and open(2). */
int state_directory_open(const char *table_name);

#define STATE_HOLD "hold" /* the copy of the table's hold (protocol/hold_copy.c) */

/* The table's directory has a file of that name. Nothing is made. */
bool state_file_exists(const char *table_name, const char *name);

/* Call each with the name of each table that has a directory. Nothing is made. */
void state_tables_each(void (*each)(const char *table_name, void *arg), void *arg);

/* The name of a file in it. */
void state_file_name(const uint8_t id[16], const char *suffix, char name[STATE_NAME_BYTES]);

/* Open a file of the directory to read it: a descriptor; -ENOENT; -ELOOP a link; -EPERM another
 * user's, or no regular file; the errors of open(2). */
int state_file_open(int directory, const char *name);

/* DIRECTORY/TABLE/ID.SUFFIX; the directories are made. 0, or as state_directory_open. */
int state_path(const char *table_name, const uint8_t id[16], const char *suffix, char *path,
               size_t size);

#endif

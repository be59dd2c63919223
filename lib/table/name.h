/* The names that a table may have, and which one is the default. */
#ifndef TABLE_NAME_H
#define TABLE_NAME_H

#include <stdbool.h>

#include "invctl.h"

/* [A-Za-z0-9._-]{1,64}, but not "." or "..". */
bool table_name_valid(const char *name);

/* It is the caller's own default name, under which no other user's segment is used. */
bool table_name_private(const char *name);

/* It is the table that /etc/invctl/table names, in a file of root's. */
bool table_name_of_system(const char *name);

/* INVCTL_TABLE, else the name in /etc/invctl/table, else invctl-UID. 0, or -EINVAL. */
int table_default_name(char name[INV_TABLE_NAME_BYTES]);

#endif

/* invctl list, where the table is of another version: see common/other_version.h. */
#ifndef LIST_OTHER_VERSION_H
#define LIST_OTHER_VERSION_H

#include <stdbool.h>

#include "common/command.h"

/* Say so, and list the runs that can be reached. Returns the exit status. */
int list_other_version(const struct globals *globals, bool json);

#endif

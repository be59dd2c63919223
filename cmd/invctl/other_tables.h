/* A search of the tables that the caller may open, for an invocation that is
 * not in the one where it was sought. */
#ifndef OTHER_TABLES_H
#define OTHER_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "invctl.h"

/* Whether a table other than the one called except has the id; its name in name. */
bool other_table_with(const char *except, const uint8_t id[16], char name[INV_TABLE_NAME_BYTES]);

#endif

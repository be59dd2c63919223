/* What is wrong with a table and around it, each with its remedy. */
#ifndef PROBLEMS_H
#define PROBLEMS_H

#include "invctl.h"

/* Call found with a sentence for each problem. */
void problems_find(inv_table *table, const struct inv_table_info *info,
                   void (*found)(const char *sentence, void *arg), void *arg);

#endif

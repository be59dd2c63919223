/* cancel --dry-run: what would be requested to stop. */
#ifndef CANCEL_DRY_RUN_H
#define CANCEL_DRY_RUN_H

#include <stdbool.h>

#include "invctl.h"
#include "invctl/selectors.h"

/*
 * Print the targets that did not fail, each with its id and name, and behind each, indented, the
 * live ones nested in it, which the request would reach too. Each is printed once.
 *   only  without those nested
 * 0, or an exit status after a message.
 */
int cancel_dry_run(inv_table *table, const struct targets *targets, bool only);

#endif

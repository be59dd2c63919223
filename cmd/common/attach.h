/* Attaching to the table that the command line names, and saying why it can't be done. */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>

#include "common/command.h"
#include "invctl.h"

/* The table that a command is for: --table, else the default. Never NULL. */
const char *attach_name(const struct globals *globals);

/*
 * Open it, with the SIGBUS guard and these flags of inv_open besides. Prints nothing.
 * As inv_open.
 */
int attach_table(const struct globals *globals, unsigned flags, inv_table **out);

/* INVCTL_AUTOSTART does not forbid to start a broker. */
bool attach_may_start(void);

/* Whether the table of that name, which was open, can't be opened any more: it was cut short, or
 * removed. That is told then, and *status is the exit status. */
bool attach_lost(const char *name, int *status);

/* Say in a sentence why attach_table failed with error, and return the exit status. */
int attach_failure(const struct globals *globals, int error);

#endif

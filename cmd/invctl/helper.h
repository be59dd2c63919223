/*
 * Programs that have some of the subcommands: invctl executes its own helpers, and where a
 * word is no command of its own, a user's `invctl-WORD`.
 */
#ifndef HELPER_H
#define HELPER_H

#include "common/command.h"

/* Become the helper: it is searched beside invctl, in libexec, then in PATH. Returns where
 * that fails: a sentence has been printed, and this is the exit status. */
int helper_exec(const char *program, const char *subcommand, int argc, char **argv,
                const struct globals *globals);

/* Become `invctl-NAME` of PATH. Returns where there is none; nothing has been printed then. */
void extension_exec(const char *name, char **argv, const struct globals *globals);

#endif

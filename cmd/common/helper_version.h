/*
 * A program that invctl executes for some of its subcommands is of the same version, or not
 * used: what it is handed may differ. This option comes first, with invctl's version.
 */
#ifndef HELPER_VERSION_H
#define HELPER_VERSION_H

#include <stdlib.h>
#include <string.h>

#include "common/message.h"
#include "invctl-exit-status.h"

#define HELPER_VERSION_OPTION "invctl-version"

/* Exit with a sentence where invctl is of another version than this program. */
static inline void helper_version_check(const char *program, const char *invctl_version)
{
	if (strcmp(invctl_version, INV_VERSION) == 0)
		return;
	message("%s is version %s and invctl is %s; install both from one package", program,
	        INV_VERSION, invctl_version);
	exit(EXIT_INTERNAL);
}

#endif

/* Attaching to the table that the command line names. */
#include "common/attach.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/message.h"
#include "common/segment.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"

const char *attach_name(const struct globals *globals)
{
	static char name[INV_TABLE_NAME_BYTES];

	if (globals->table)
		return globals->table;
	if (name[0] == '\0' && inv_default_table_name(name) < 0)
		snprintf(name, sizeof(name), "?");
	return name;
}

/* The last attempt to open a table would have started a broker. */
static bool tried_to_start;

bool attach_may_start(void)
{
	const char *allowed = secure_getenv("INVCTL_AUTOSTART");

	return !allowed || strcmp(allowed, "0") != 0;
}

int attach_table(const struct globals *globals, unsigned flags, inv_table **out)
{
	tried_to_start = (flags & INV_OPEN_AUTOSTART) != 0;
	return inv_open(out, globals->table, flags | INV_OPEN_GUARD);
}

/* Where the unusable name came from. */
static void explain_name(const struct globals *globals)
{
	static const char rule[] = "a table's name is 1 to 64 of A-Z a-z 0-9 . _ -";
	const char *set = secure_getenv("INVCTL_TABLE");

	if (globals->table)
		message("--table '%s' names no table: %s", globals->table, rule);
	else if (set && *set)
		message("INVCTL_TABLE '%s' names no table: %s", set, rule);
	else
		message("what /etc/invctl/table contains names no table: %s", rule);
}

static void explain_absence(const char *name)
{
	/* An owner enters the table with its start time, and a broker is found beside
	 * /proc/self/exe. */
	if (access("/proc/self/stat", R_OK) != 0)
		message("table '%s' can't be used without /proc, which is not mounted here: see "
		        "'mount -t proc proc /proc'",
		        name);
	else if (!attach_may_start())
		message("there is no table '%s', and INVCTL_AUTOSTART=0 forbids to start a broker "
		        "that makes it; start 'invbroker --table=%s'",
		        name, name);
	else if (tried_to_start)
		message("invbroker, which makes table '%s', is missing: it is neither beside "
		        "invctl, "
		        "nor in libexec or PATH; install it",
		        name);
	else
		message("there is no table '%s'; 'invctl run' makes one", name);
}

static void explain_memory(const char *name)
{
	struct rlimit space;
	bool limited = getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY;

	message("there is no memory to attach table '%s'; %s", name,
	        limited ? "raise 'ulimit -v'" : "'free -h' shows what is left");
}

int attach_failure(const struct globals *globals, int error)
{
	const char *name = attach_name(globals);

	switch (error) {
	case -EINVAL:
		explain_name(globals);
		return EXIT_USAGE;
	case -ENOENT:
		explain_absence(name);
		return EXIT_NO_TABLE;
	case -EACCES:
	case -EPERM:
	case -EBADMSG:
	case -EPROTO: {
		char sentence[SEGMENT_SENTENCE_BYTES];
		int status = segment_explain(name, error, sentence);

		message("%s", sentence);
		return status;
	}
	case -ECHILD:
		message("the broker of table '%s' could not be started; 'invbroker --foreground "
		        "--table=%s' tells why",
		        name, name);
		return EXIT_NO_TABLE;
	case -EMFILE:
		message("no descriptor is left to open table '%s'; raise 'ulimit -n'", name);
		return EXIT_NO_TABLE;
	case -ENOMEM:
		explain_memory(name);
		return EXIT_NO_TABLE;
	case -ENOSPC:
		message("there is no room for table '%s'; see 'df -h /dev/shm', or start invbroker "
		        "with a smaller --capacity",
		        name);
		return EXIT_NO_TABLE;
	default:
		message("table '%s' is not available: %s", name, inv_strerror(error));
		return EXIT_NO_TABLE;
	}
}

bool attach_lost(const char *name, int *status)
{
	const struct globals globals = {.table = name};
	inv_table *again;
	int error = attach_table(&globals, 0, &again);

	if (error < 0)
		*status = attach_failure(&globals, error);
	else
		inv_close(again);
	return error < 0;
}

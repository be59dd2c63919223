/* Attaching to the table that the command line names. */
#include "common/attach.h"

#include <errno.h>
#include <stdio.h>
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

int attach_table(const struct globals *globals, unsigned flags, inv_table **out)
{
	return inv_open(out, globals->table, flags | INV_OPEN_GUARD);
}

int attach_failure(const struct globals *globals, int error)
{
	const char *name = attach_name(globals);

	switch (error) {
	case -EINVAL:
		message("a table's name is 1 to 64 of A-Z a-z 0-9 . _ -: look at --table, "
		        "INVCTL_TABLE and /etc/invctl/table");
		return EXIT_USAGE;
	case -ENOENT:
		/* An owner enters the table with its start time, and a broker is found beside
		 * /proc/self/exe. */
		if (access("/proc/self/stat", R_OK) != 0) {
			message("table '%s' can't be used without /proc, which is not mounted "
			        "here: see 'mount -t proc proc /proc'",
			        name);
			return EXIT_NO_TABLE;
		}
		message("there is no table '%s'; 'invctl run' makes one", name);
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
		message("there is no memory to attach table '%s'; raise 'ulimit -v', or look at "
		        "'free' and 'df -h /dev/shm'",
		        name);
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

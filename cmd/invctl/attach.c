/* Attaching to the table that the command line names. */
#include "attach.h"

#include <errno.h>
#include <stdio.h>

#include "exit_status.h"
#include "invctl-supervisor.h"
#include "message.h"

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
		message("there is no table '%s'; 'invctl run' makes one", name);
		return EXIT_NO_TABLE;
	case -EACCES:
	case -EPERM:
		message("table '%s' is not yours to open, or its mode is not what invctl made it: "
		        "see 'ls -l /dev/shm/%s'",
		        name, name);
		return EXIT_DENIED;
	case -EBADMSG:
		message("/dev/shm/%s is damaged or no table of invctl; move it away, or choose "
		        "another --table",
		        name);
		return EXIT_NO_TABLE;
	case -EPROTO:
		message("table '%s' was made by another version of invctl than this one (%s); use "
		        "that one, or end its broker and move /dev/shm/%s away",
		        name, inv_version(), name);
		return EXIT_NO_TABLE;
	case -ENOSPC:
	case -ENOMEM:
		message("there is no room for table '%s'; see 'df -h /dev/shm', or start invbroker "
		        "with a smaller --capacity",
		        name);
		return EXIT_NO_TABLE;
	default:
		message("table '%s' can't be had: %s", name, inv_strerror(error));
		return EXIT_NO_TABLE;
	}
}

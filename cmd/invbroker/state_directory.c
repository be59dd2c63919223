/*
 * The broker's side of the state directory.
 */
#include "invbroker/state_directory.h"

#include <errno.h>
#include <string.h>

int state_directory(inv_table *table, char *path, size_t size)
{
	static const uint8_t any_id[16];
	int error = inv_state_path(table, any_id, "log", path, size);

	if (error)
		return error;
	char *slash = strrchr(path, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

/*
 * The state directory: INVCTL_STATE_DIR, else $XDG_STATE_HOME/invctl, else
 * ~/.local/state/invctl; in it a directory for each table, in that a few files for
 * each invocation, named by its id.
 */
#include "os/state_directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uuid/uuid.h>

static int base_directory(char *path, size_t size)
{
	const char *own = getenv("INVCTL_STATE_DIR");
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int length;

	if (own && *own)
		length = snprintf(path, size, "%s", own);
	else if (xdg && *xdg == '/')
		length = snprintf(path, size, "%s/invctl", xdg);
	else if (home && *home == '/')
		length = snprintf(path, size, "%s/.local/state/invctl", home);
	else
		return -ENXIO;
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : length;
}

/* mkdir -p, for its user alone. */
static int make_directories(char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int failed = mkdir(path, 0700) != 0 && errno != EEXIST ? errno : 0;
		*slash = '/';
		if (failed)
			return -failed;
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

int state_path(const char *table_name, const uint8_t id[16], const char *suffix, char *path,
               size_t size)
{
	char text[37];
	int length = base_directory(path, size);

	if (length < 0)
		return length;
	size_t room = size - (size_t)length;
	int added = snprintf(path + length, room, "/%s", table_name);
	if (added < 0 || (size_t)added >= room)
		return -ENAMETOOLONG;
	int error = make_directories(path);
	if (error)
		return error;
	uuid_unparse_lower(id, text);
	length += added;
	room = size - (size_t)length;
	added = snprintf(path + length, room, "/%s.%s", text, suffix);
	return added < 0 || (size_t)added >= room ? -ENAMETOOLONG : 0;
}

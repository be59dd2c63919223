/*
 * The broker's side of the state directory.
 */
#include "invbroker/state_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "invbroker/report.h"

enum { KEEP_SECONDS = 30 * 24 * 3600, ID_TEXT = 36 };

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

static bool has_suffix_of_ours(const char *suffix)
{
	static const char *const suffixes[] = {".log", ".log.1", ".out", ".run"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(suffix, suffixes[i]) == 0)
			return true;
	return false;
}

/* A file of an invocation that the table no longer has. */
static bool of_forgotten(inv_table *table, const char *name)
{
	char text[ID_TEXT + 1];
	struct inv_info info;
	uint8_t id[16];

	if (strlen(name) <= ID_TEXT || !has_suffix_of_ours(name + ID_TEXT))
		return false;
	memcpy(text, name, ID_TEXT);
	text[ID_TEXT] = '\0';
	return inv_id_parse(text, id) == 0 && inv_info_get(table, id, &info) == -ENOENT;
}

static bool is_old(int directory, const char *name)
{
	struct stat status;

	return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(status.st_mode) && time(NULL) - status.st_mtime > KEEP_SECONDS;
}

void state_directory_clean(inv_table *table)
{
	char path[4096];
	size_t removed = 0;
	DIR *directory = state_directory(table, path, sizeof(path)) == 0 ? opendir(path) : NULL;

	if (!directory)
		return;
	for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
		if (is_old(dirfd(directory), entry->d_name) && of_forgotten(table, entry->d_name) &&
		    unlinkat(dirfd(directory), entry->d_name, 0) == 0)
			removed++;
	closedir(directory);
	if (removed > 0)
		report("removed %zu files of invocations that ended more than 30 days ago",
		       removed);
}

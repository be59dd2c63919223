/* Whether systemd-logind will remove a user's shared memory at the last logout. */
#include "common/logind.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SYSTEM_UID_MAX = 999, NAME_BYTES = 264, LINE_BYTES = 512 };

/* The text behind key in a line, or NULL: the line is about something else. */
static const char *value_of(char *line, const char *key)
{
	size_t length = strlen(key);

	line += strspn(line, " \t");
	if (strncmp(line, key, length) != 0)
		return NULL;
	line += length;
	line += strspn(line, " \t");
	if (*line != '=')
		return NULL;
	line += 1 + strspn(line + 1, " \t");
	line[strcspn(line, " \t\r\n")] = '\0';
	return line;
}

static bool is_no(const char *value)
{
	return strcmp(value, "no") == 0 || strcmp(value, "false") == 0 ||
	       strcmp(value, "off") == 0 || strcmp(value, "0") == 0;
}

/* The value of key in a file, the last one that stands there; false: none. */
static bool read_value(const char *path, const char *key, char value[NAME_BYTES])
{
	FILE *file = fopen(path, "re");
	char line[LINE_BYTES];
	bool found = false;

	while (file && fgets(line, sizeof(line), file)) {
		const char *text = value_of(line, key);

		if (text) {
			snprintf(value, NAME_BYTES, "%.255s", text);
			found = true;
		}
	}
	if (file)
		fclose(file);
	return found;
}

static int is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0;
}

/* The drop-ins of a directory in the order of their names; later ones win. */
static void read_drop_ins(const char *directory, char value[NAME_BYTES])
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_conf, alphasort);

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX + NAME_BYTES];

		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		read_value(path, "RemoveIPC", value);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static bool remove_ipc_is_on(const char *root)
{
	static const char *const directories[] = {"/usr/lib/systemd", "/run/systemd",
	                                          "/etc/systemd"};
	char path[PATH_MAX], value[NAME_BYTES] = "yes";

	snprintf(path, sizeof(path), "%s/etc/systemd/logind.conf", root);
	read_value(path, "RemoveIPC", value);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(path, sizeof(path), "%s%s/logind.conf.d", root, directories[i]);
		read_drop_ins(path, value);
	}
	return !is_no(value);
}

/* Logind's file about a logged-in user holds the name, under which lingering is noted. */
static bool lingers(const char *root, const char *user_path)
{
	char name[NAME_BYTES], path[PATH_MAX];

	if (!read_value(user_path, "NAME", name) || strchr(name, '/'))
		return false;
	snprintf(path, sizeof(path), "%s/var/lib/systemd/linger/%s", root, name);
	return access(path, F_OK) == 0;
}

bool logind_removes_shm_under(const char *root, uid_t uid)
{
	char user_path[PATH_MAX];

	if (uid <= SYSTEM_UID_MAX)
		return false; /* logind leaves system users alone */
	snprintf(user_path, sizeof(user_path), "%s/run/systemd/users/%u", root, (unsigned)uid);
	if (access(user_path, F_OK) != 0)
		return false; /* no logind, or no session that could end */
	return remove_ipc_is_on(root) && !lingers(root, user_path);
}

bool logind_removes_shm(uid_t uid)
{
	return logind_removes_shm_under("", uid);
}

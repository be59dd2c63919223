/*
 * The state directory: INVCTL_STATE_DIR, else $XDG_STATE_HOME/invctl, else
 * .local/state/invctl in HOME, else in the home that /etc/passwd names; in it a directory for
 * each table, in that a few files for each invocation, named by its id.
 *
 * A directory on the way may belong to another user, who could put a link in it so that files
 * of the caller's (root's) are made elsewhere. So only links of root or of the caller are
 * followed: the directory is opened component by component, unless the kernel finds that there is
 * no link at all.
 */
#include "os/state_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "invctl.h"

enum {
	LINKS_MAX = 40,
	PASSWD_LINE_BYTES = 4096,
	OPEN_DIRECTORY = O_PATH | O_DIRECTORY | O_CLOEXEC
};

/* The static invctl has no other name service, and all programs must agree. 0; -ENOTDIR. */
static int passwd_home(char *home, size_t size)
{
	char line[PASSWD_LINE_BYTES];
	struct passwd entry, *found = NULL;
	FILE *file = fopen("/etc/passwd", "re");
	int error;

	if (!file)
		return -ENOTDIR;
	do
		error = fgetpwent_r(file, &entry, line, sizeof(line), &found);
	while (error == 0 && found->pw_uid != geteuid());
	fclose(file);
	if (error != 0 || found->pw_dir[0] != '/')
		return -ENOTDIR;
	return snprintf(home, size, "%s", found->pw_dir) < (int)size ? 0 : -ENAMETOOLONG;
}

static int base_directory(char *path, size_t size)
{
	const char *own = secure_getenv("INVCTL_STATE_DIR");
	const char *xdg = secure_getenv("XDG_STATE_HOME");
	const char *home = secure_getenv("HOME");
	char from_passwd[STATE_PATH_BYTES];
	int length;

	if (own && *own) {
		/* A relative one would be another directory after each chdir(2). */
		if (*own != '/')
			return -ENOTDIR;
		length = snprintf(path, size, "%s", own);
	} else if (xdg && *xdg == '/') {
		length = snprintf(path, size, "%s/invctl", xdg);
	} else {
		if (!home || *home != '/') {
			int error = passwd_home(from_passwd, sizeof(from_passwd));
			if (error)
				return error;
			home = from_passwd;
		}
		length = snprintf(path, size, "%s/.local/state/invctl", home);
	}
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : length;
}

/* DIRECTORY/TABLE: its length, or -errno. */
static int table_directory(const char *table_name, char *path, size_t size)
{
	int length = base_directory(path, size);

	if (length < 0)
		return length;
	size_t room = size - (size_t)length;
	int added = snprintf(path + length, room, "/%s", table_name);
	return added < 0 || (size_t)added >= room ? -ENAMETOOLONG : length + added;
}

/* The owner of "/" is root, even where a user namespace shows another number. */
static bool is_trusted(uid_t uid)
{
	struct stat root;

	return uid == 0 || uid == geteuid() || (stat("/", &root) == 0 && root.st_uid == uid);
}

/* Put the target of a link in the place of what was walked so far. -EPERM: it is not trusted. */
static int follow(int directory, const char *name, char *path, const char *rest)
{
	char target[STATE_PATH_BYTES], joined[STATE_PATH_BYTES];
	struct stat status;
	int link = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (link < 0)
		return -errno;
	int error = fstat(link, &status) != 0 ? -errno : 0;
	ssize_t length = error ? -1 : readlinkat(link, "", target, sizeof(target) - 1);
	close(link);
	if (error)
		return error;
	if (length < 0)
		return -ENOTDIR;
	if (!is_trusted(status.st_uid))
		return -EPERM;
	target[length] = '\0';
	int joined_length = snprintf(joined, sizeof(joined), "%s/%s", target, rest);
	if (joined_length < 0 || (size_t)joined_length >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(path, joined, (size_t)joined_length + 1);
	return 0;
}

/* One component: the directory, made for its user alone where there is none; -ENOTDIR: it may be
 * a link. */
static int enter(int directory, const char *name)
{
	int fd = openat(directory, name, OPEN_DIRECTORY | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT && (mkdirat(directory, name, 0700) == 0 || errno == EEXIST))
		fd = openat(directory, name, OPEN_DIRECTORY | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* path is used up. */
static int walk(char *path)
{
	int directory = open("/", OPEN_DIRECTORY), links = 0, error = directory < 0 ? -errno : 0;
	char *at = path;

	while (!error && *(at += strspn(at, "/")) != '\0') {
		char *name = at;
		at += strcspn(at, "/");
		if (*at)
			*at++ = '\0';
		int next = enter(directory, name);
		if (next == -ENOTDIR && links++ < LINKS_MAX) {
			error = follow(directory, name, path, at);
			at = path;
			if (error || *path != '/')
				continue;
			next = open("/", OPEN_DIRECTORY);
		}
		if (next < 0) {
			error = next == -ENOTDIR && links > LINKS_MAX ? -ELOOP : next;
			continue;
		}
		close(directory);
		directory = next;
	}
	if (error && directory >= 0)
		close(directory);
	return error ? error : directory;
}

/* What is there, and has no link on its way, is opened at once. */
static int open_made(char *path)
{
	struct open_how how = {.flags = OPEN_DIRECTORY, .resolve = RESOLVE_NO_SYMLINKS};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd >= 0 ? fd : walk(path);
}

int state_directory_open(const char *table_name)
{
	char path[STATE_PATH_BYTES];
	int length = table_directory(table_name, path, sizeof(path));

	return length < 0 ? length : open_made(path);
}

bool state_file_exists(const char *table_name, const char *name)
{
	char path[STATE_PATH_BYTES], file[STATE_PATH_BYTES + STATE_NAME_BYTES];
	struct stat status;

	if (table_directory(table_name, path, sizeof(path)) < 0)
		return false;
	snprintf(file, sizeof(file), "%s/%s", path, name);
	return lstat(file, &status) == 0;
}

void state_tables_each(void (*each)(const char *table_name, void *arg), void *arg)
{
	char path[STATE_PATH_BYTES];
	DIR *directory = base_directory(path, sizeof(path)) < 0 ? NULL : opendir(path);

	if (!directory)
		return;
	for (struct dirent *entry; (entry = readdir(directory));)
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < INV_TABLE_NAME_BYTES)
			each(entry->d_name, arg);
	closedir(directory);
}

void state_file_name(const uint8_t id[16], const char *suffix, char name[STATE_NAME_BYTES])
{
	char text[INV_ID_TEXT_BYTES];

	uuid_unparse_lower(id, text);
	snprintf(name, STATE_NAME_BYTES, "%s.%s", text, suffix);
}

int state_file_open(int directory, const char *name)
{
	struct stat status;
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	int error = fstat(fd, &status) != 0 ? -errno : 0;
	if (error == 0 && (!S_ISREG(status.st_mode) || status.st_uid != geteuid()))
		error = -EPERM;
	if (error)
		close(fd);
	return error ? error : fd;
}

int state_path(const char *table_name, const uint8_t id[16], const char *suffix, char *path,
               size_t size)
{
	char name[STATE_NAME_BYTES];
	int length = table_directory(table_name, path, size);
	int fd = length < 0 ? length : state_directory_open(table_name);

	if (fd < 0)
		return fd;
	close(fd);
	state_file_name(id, suffix, name);
	size_t room = size - (size_t)length;
	int added = snprintf(path + length, room, "/%s", name);
	return added < 0 || (size_t)added >= room ? -ENAMETOOLONG : 0;
}

/* Names of tables: see name.h. */
#include "table/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define SYSTEM_TABLE_FILE "/etc/invctl/table"

bool table_name_valid(const char *name)
{
	size_t length = strnlen(name, INV_TABLE_NAME_BYTES);

	return length > 0 && length < INV_TABLE_NAME_BYTES &&
	       strspn(name, NAME_CHARACTERS) == length && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* 1 and the name; 0 there is none; -EINVAL it is no name. */
static int system_table_name(char name[INV_TABLE_NAME_BYTES], uid_t *owner)
{
	/* One byte more than a name: a longer one must not be cut to another's. */
	char text[INV_TABLE_NAME_BYTES + 1] = "";
	struct stat status;
	int fd = open(SYSTEM_TABLE_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	bool known = fstat(fd, &status) == 0;
	close(fd);
	if (length <= 0 || !known)
		return 0;
	text[strcspn(text, " \t\r\n")] = '\0';
	if (!table_name_valid(text))
		return -EINVAL;
	memcpy(name, text, strlen(text) + 1);
	*owner = status.st_uid;
	return 1;
}

bool table_name_of_system(const char *name)
{
	char named[INV_TABLE_NAME_BYTES];
	uid_t owner;

	return system_table_name(named, &owner) == 1 && owner == 0 && strcmp(named, name) == 0;
}

int table_default_name(char name[INV_TABLE_NAME_BYTES])
{
	const char *set = secure_getenv("INVCTL_TABLE");
	uid_t owner;

	if (set && *set) {
		if (!table_name_valid(set))
			return -EINVAL;
		memcpy(name, set, strlen(set) + 1);
		return 0;
	}
	int found = system_table_name(name, &owner);
	if (found == 0)
		snprintf(name, INV_TABLE_NAME_BYTES, "invctl-%u", (unsigned)geteuid());
	return found < 0 ? found : 0;
}

bool table_name_private(const char *name)
{
	char own[INV_TABLE_NAME_BYTES];

	snprintf(own, sizeof(own), "invctl-%u", (unsigned)geteuid());
	return strcmp(name, own) == 0;
}

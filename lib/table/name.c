/* Names of tables: see name.h. */
#include "table/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
static int system_table_name(char name[INV_TABLE_NAME_BYTES])
{
	/* One byte more than a name: a longer one must not be cut to another's. */
	char text[INV_TABLE_NAME_BYTES + 1] = "";
	int fd = open(SYSTEM_TABLE_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[strcspn(text, " \t\r\n")] = '\0';
	if (!table_name_valid(text))
		return -EINVAL;
	memcpy(name, text, strlen(text) + 1);
	return 1;
}

int table_default_name(char name[INV_TABLE_NAME_BYTES])
{
	const char *set = secure_getenv("INVCTL_TABLE");

	if (set && *set) {
		if (!table_name_valid(set))
			return -EINVAL;
		memcpy(name, set, strlen(set) + 1);
		return 0;
	}
	int found = system_table_name(name);
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

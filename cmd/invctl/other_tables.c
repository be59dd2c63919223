/* A search of the tables that the caller may open. */
#include "invctl/other_tables.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

static bool table_has(const char *name, const uint8_t id[16])
{
	struct inv_info info;
	inv_table *table;

	/* The library refuses what is no table, or not the caller's. */
	if (inv_open(&table, name, INV_OPEN_GUARD) < 0)
		return false;

	bool found = inv_info_get(table, id, &info) == 0;

	inv_close(table);
	return found;
}

bool other_table_with(const char *except, const uint8_t id[16], char name[INV_TABLE_NAME_BYTES])
{
	DIR *directory = opendir("/dev/shm");
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		if (strlen(entry->d_name) >= INV_TABLE_NAME_BYTES ||
		    strcmp(entry->d_name, except) == 0 || !table_has(entry->d_name, id))
			continue;
		snprintf(name, INV_TABLE_NAME_BYTES, "%.64s", entry->d_name);
		found = true;
	}
	if (directory)
		closedir(directory);
	return found;
}

/*
 * The end of each id on stdin, by inv_info_get: census <IDS
 * Prints "ID STATUS CAUSE" in words; "ID none -" for what the table does not have.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <invctl.h>

int main(void)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		struct inv_info info;
		uint8_t id[16];

		line[strcspn(line, "\n")] = '\0';
		if (inv_id_parse(line, id) != 0)
			return 2;
		int error = inv_info_get(NULL, id, &info);
		if (error == -ENOENT)
			printf("%s none -\n", line);
		else if (error)
			return 1;
		else
			printf("%s %s %s\n", line, inv_status_name(info.status),
			       inv_cause_name(info.cause));
	}
	return 0;
}

/*
 * The public header is "usable from C++": it compiles with every warning an error, and
 * what it declares links with C linkage. Prints nothing; 0 when all is as it should be.
 */
#include <invctl.h>

#include <stdlib.h>
#include <string.h>

static int count_row(const struct inv_info *info, void *arg)
{
	*static_cast<int *>(arg) += info->status >= INV_COMPLETED;
	return 0;
}

int main()
{
	uint8_t id[16];
	char text[37];
	int rows = 0;

	setenv("INVCTL_AUTOSTART", "0", 1);
	setenv("INVCTL_TABLE", "header-cxx-no-such-table", 1);
	unsetenv("INVCTL_ID");
	if (inv_id_parse("0123abcd-ef01-4234-8567-89abcdef0123", id) != 0)
		return 1;
	inv_id_format(id, text);
	if (strcmp(text, "0123abcd-ef01-4234-8567-89abcdef0123") != 0)
		return 2;
	if (inv_check() != 0 || inv_sleep(0) != 0 || inv_current_id(id) >= 0)
		return 3;
	if (inv_list(nullptr, count_row, &rows) >= 0 || rows != 0)
		return 4;
	if (inv_cancel(nullptr, id, INV_CANCEL_WITH_SIGNAL(15), "reason") >= 0)
		return 5;
	return strlen(inv_version()) > 0 && strlen(inv_strerror(-1)) > 0 ? 0 : 6;
}

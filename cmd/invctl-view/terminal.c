/* What stdout is, where it is a terminal: see terminal.h. */
#include "invctl-view/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/line_width.h"

int terminal_width(void)
{
	return line_width(STDOUT_FILENO);
}

bool terminal_has_color(void)
{
	const char *none = secure_getenv("NO_COLOR");
	const char *term = secure_getenv("TERM");

	return isatty(STDOUT_FILENO) && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
}

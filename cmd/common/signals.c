/* Signals by the names that users write. */
#include "common/signals.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A decimal number from low to high, and nothing behind it; -1. */
static int number_within(const char *text, int low, int high)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 3 || text[digits] != '\0')
		return -1;

	int number = (int)strtol(text, NULL, 10);

	return number >= low && number <= high ? number : -1;
}

static int parse_realtime(const char *text)
{
	int width = SIGRTMAX - SIGRTMIN;
	int offset = text[5] == '\0' ? 0 : number_within(text + 6, 0, width);

	if (offset < 0)
		return -1;
	if (strncasecmp(text, "RTMIN", 5) == 0 && (text[5] == '+' || text[5] == '\0'))
		return SIGRTMIN + offset;
	if (strncasecmp(text, "RTMAX", 5) == 0 && (text[5] == '-' || text[5] == '\0'))
		return SIGRTMAX - offset;
	return -1;
}

int signal_parse(const char *text)
{
	int number = number_within(text, 1, SIGRTMAX);

	if (number > 0)
		return number;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RT", 2) == 0 && strlen(text) >= 5)
		return parse_realtime(text);
	for (number = 1; number < NSIG; number++) {
		const char *name = sigabbrev_np(number);

		if (name && strcasecmp(text, name) == 0)
			return number;
	}
	return -1;
}

void signal_format(int signum, char text[SIGNAL_NAME_BYTES])
{
	const char *name = sigabbrev_np(signum);

	if (name)
		snprintf(text, SIGNAL_NAME_BYTES, "%s", name);
	else if (signum >= SIGRTMIN && signum <= SIGRTMAX)
		snprintf(text, SIGNAL_NAME_BYTES, "RTMIN+%d", signum - SIGRTMIN);
	else
		snprintf(text, SIGNAL_NAME_BYTES, "%d", signum);
}

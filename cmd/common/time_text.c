/* Times of day as text. */
#include "common/time_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/duration.h"

void time_format(int64_t time_ns, char text[TIME_TEXT_BYTES])
{
	int64_t below_second_ns = time_ns % NS_PER_SECOND;
	struct tm local = {0};

	if (below_second_ns < 0)
		below_second_ns += NS_PER_SECOND;

	/* Rounded down, for the earliest times as well, which a table may hold. */
	time_t seconds = time_ns / NS_PER_SECOND - (time_ns % NS_PER_SECOND < 0);

	localtime_r(&seconds, &local);

	long offset_minutes = local.tm_gmtoff / 60;
	char day[32];

	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &local);
	snprintf(text, TIME_TEXT_BYTES, "%s.%06d%c%02d:%02d", day,
	         (int)(below_second_ns / NS_PER_US), offset_minutes < 0 ? '-' : '+',
	         (int)(labs(offset_minutes) / 60 % 100), (int)(labs(offset_minutes) % 60));
}

/* Nanoseconds of ".123"; *end is moved behind it. */
static int64_t parse_fraction(const char **end)
{
	int64_t ns = 0, unit_ns = NS_PER_SECOND;

	if (**end != '.')
		return 0;
	for (++*end; **end >= '0' && **end <= '9'; ++*end) {
		unit_ns /= 10;
		ns += (**end - '0') * unit_ns;
	}
	return ns;
}

/* "Z" or "+02:00" to the end; false: something else. */
static bool parse_offset(const char *text, long *offset_s)
{
	struct tm at = {0};

	*offset_s = 0;
	if (strcmp(text, "Z") == 0)
		return true;
	if (*text != '+' && *text != '-')
		return false;

	const char *end = strptime(text + 1, "%H:%M", &at);

	*offset_s = (at.tm_hour * 3600L + at.tm_min * 60L) * (*text == '-' ? -1 : 1);
	return end && *end == '\0';
}

int time_parse(const char *text, int64_t *time_ns)
{
	static const char *const formats[] = {
	        "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
	        "%Y-%m-%d",          "%H:%M:%S",          "%H:%M"};
	const char *end = NULL;
	struct tm at = {0};

	for (size_t i = 0; !end && i < sizeof(formats) / sizeof(formats[0]); i++) {
		time_t now = time(NULL);

		localtime_r(&now, &at);
		at.tm_hour = at.tm_min = at.tm_sec = 0;
		end = strptime(text, formats[i], &at);
	}
	if (!end)
		return -EINVAL;
	*time_ns = parse_fraction(&end);

	long offset_s = 0;
	bool local = *end == '\0';

	if (!local && !parse_offset(end, &offset_s))
		return -EINVAL;
	at.tm_isdst = -1;
	*time_ns += ((local ? mktime(&at) : timegm(&at)) - offset_s) * NS_PER_SECOND;
	return 0;
}

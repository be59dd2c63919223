/* Times of day as text. */
#include "common/time_text.h"

#include <stdio.h>
#include <stdlib.h>
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

/* Durations as users write and read them. */
#include "common/duration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "invctl.h"

static const struct unit {
	const char *suffix;
	int64_t ns;
} units[] = {
        {"", NS_PER_SECOND},          {"us", NS_PER_US},         {"ms", NS_PER_MS},
        {"s", NS_PER_SECOND},         {"m", 60 * NS_PER_SECOND}, {"h", 3600 * NS_PER_SECOND},
        {"d", 86400 * NS_PER_SECOND},
};

static const struct unit *unit_of(const char *suffix)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(suffix, units[i].suffix) == 0)
			return &units[i];
	return NULL;
}

/* The part behind the point, of a unit: exact, rounded up to a whole nanosecond. Rounding up at
 * each digit, from the last one on, comes to the same as doing so once. */
static int64_t fraction_ns(const char *digits, size_t count, int64_t unit_ns)
{
	int64_t ns = 0;

	while (count-- > 0)
		ns = ((digits[count] - '0') * unit_ns + ns + 9) / 10;
	return ns;
}

int duration_parse(const char *text, int64_t *ns)
{
	if (strcmp(text, "inf") == 0) {
		*ns = INV_FOREVER;
		return 0;
	}

	size_t whole_digits = strspn(text, "0123456789");
	const char *fraction = text + whole_digits + (text[whole_digits] == '.');
	size_t fraction_digits = text[whole_digits] == '.' ? strspn(fraction, "0123456789") : 0;
	const struct unit *unit = unit_of(fraction + fraction_digits);

	if (whole_digits + fraction_digits == 0 || !unit)
		return -EINVAL;

	int64_t whole = 0;

	for (; whole_digits > 0; whole_digits--, text++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *text - '0', &whole))
			return -ERANGE;
	if (__builtin_mul_overflow(whole, unit->ns, &whole) ||
	    __builtin_add_overflow(whole, fraction_ns(fraction, fraction_digits, unit->ns), ns))
		return -ERANGE;
	return 0;
}

int duration_add(int64_t a, int64_t b, int64_t *sum)
{
	if (a == INV_FOREVER || b == INV_FOREVER) {
		*sum = INV_FOREVER;
		return 0;
	}
	return __builtin_add_overflow(a, b, sum) ? -ERANGE : 0;
}

/* A number of the larger unit, and what is left in so many digits of the smaller one, unless
 * that is nothing. */
static void two_units(char text[DURATION_TEXT_BYTES], int64_t number, const char *unit,
                      int64_t rest, const char *rest_unit)
{
	if (rest == 0)
		snprintf(text, DURATION_TEXT_BYTES, "%lld%s", (long long)number, unit);
	else
		snprintf(text, DURATION_TEXT_BYTES, "%lld%s%02lld%s", (long long)number, unit,
		         (long long)rest, rest_unit);
}

void duration_format(int64_t ns, char text[DURATION_TEXT_BYTES])
{
	int64_t seconds = ns / NS_PER_SECOND;
	int64_t tenths = ns % NS_PER_SECOND / (100 * NS_PER_MS);

	if (ns < 0)
		snprintf(text, DURATION_TEXT_BYTES, "inf");
	else if (ns < NS_PER_MS)
		snprintf(text, DURATION_TEXT_BYTES, "%dus", (int)(ns / NS_PER_US));
	else if (ns < NS_PER_SECOND)
		snprintf(text, DURATION_TEXT_BYTES, "%dms", (int)(ns / NS_PER_MS));
	else if (seconds < 60 && tenths != 0)
		snprintf(text, DURATION_TEXT_BYTES, "%d.%ds", (int)seconds, (int)tenths);
	else if (seconds < 60)
		snprintf(text, DURATION_TEXT_BYTES, "%ds", (int)seconds);
	else if (seconds < 3600)
		two_units(text, seconds / 60, "m", seconds % 60, "s");
	else if (seconds < 86400)
		two_units(text, seconds / 3600, "h", seconds / 60 % 60, "m");
	else
		two_units(text, seconds / 86400, "d", seconds / 3600 % 24, "h");
}

void duration_format_words(int64_t ns, char text[DURATION_TEXT_BYTES])
{
	int64_t seconds = ns > 0 ? ns / NS_PER_SECOND : 0;
	int64_t tenths = ns > 0 ? ns % NS_PER_SECOND / (100 * NS_PER_MS) : 0;

	if (seconds >= 60)
		duration_format(ns, text);
	else if (seconds >= 10 || (seconds > 0 && tenths == 0))
		snprintf(text, DURATION_TEXT_BYTES, "%d s", (int)seconds);
	else
		snprintf(text, DURATION_TEXT_BYTES, "%d.%d s", (int)seconds, (int)tenths);
}

void duration_format_rough(int64_t ns, char text[DURATION_TEXT_BYTES])
{
	int64_t seconds = ns > 0 ? ns / NS_PER_SECOND : 0;

	if (seconds < 60)
		snprintf(text, DURATION_TEXT_BYTES, "%ds", (int)seconds);
	else if (seconds < 3600)
		snprintf(text, DURATION_TEXT_BYTES, "%dm", (int)(seconds / 60));
	else if (seconds < 86400)
		snprintf(text, DURATION_TEXT_BYTES, "%dh", (int)(seconds / 3600));
	else
		snprintf(text, DURATION_TEXT_BYTES, "%lldd", (long long)(seconds / 86400));
}

int64_t elapsed_ns(int64_t from_ns, int64_t to_ns)
{
	int64_t elapsed;

	return __builtin_sub_overflow(to_ns, from_ns, &elapsed) || elapsed < 0 ? 0 : elapsed;
}

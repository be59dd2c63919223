/* Times of day as users write them: RFC 3339, or less of it, local where no offset is said. */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/duration.h"
#include "common/time_text.h"

static const int64_t may_ns = INT64_C(1714548600) * NS_PER_SECOND; /* 2024-05-01T07:30:00Z */

static void in_berlin(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t after_ns;
	} rows[] = {
	        {"2024-05-01T09:30:00+02:00", 0},
	        {"2024-05-01T07:30:00Z", 0},
	        {"2024-05-01T02:00:00-05:30", 0},
	        {"2024-05-01 09:30:00", 0},
	        {"2024-05-01T09:30", 0},
	        {"2024-05-01 09:30", 0},
	        {"2024-05-01 09:30:12", 12 * NS_PER_SECOND},
	        {"2024-05-01T09:30:12.5", 12 * NS_PER_SECOND + NS_PER_SECOND / 2},
	        {"2024-05-01T07:30:12.000001Z", 12 * NS_PER_SECOND + NS_PER_US},
	        {"2024-05-01T07:30:12.0000000009Z", 12 * NS_PER_SECOND},
	        {"2024-05-01", -9 * 3600 * NS_PER_SECOND - 1800 * NS_PER_SECOND},
	        /* In winter the offset is another. */
	        {"2024-01-01 00:00", -INT64_C(10485000) * NS_PER_SECOND},
	};

	(void)state;
	in_berlin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ns;

		assert_int_equal(time_parse(rows[i].text, &ns), 0);
		assert_int_equal(ns, may_ns + rows[i].after_ns);
	}
}

static void a_time_without_a_day_is_today(void **state)
{
	int64_t ns, later_ns;

	(void)state;
	in_berlin();
	assert_int_equal(time_parse("00:00", &ns), 0);
	assert_int_equal(time_parse("01:02:03", &later_ns), 0);
	assert_in_range(clock_realtime_ns() - ns, 0, 25 * 3600 * NS_PER_SECOND);
	/* On two days of the year the clock is set in between. */
	assert_int_equal((later_ns - ns) / NS_PER_SECOND % 3600, 123);
}

static void what_is_none_is_invalid(void **state)
{
	static const char *const texts[] = {
	        "",
	        "yesterday",
	        "2024",
	        "2024-05-01T",
	        "2024-05-01T09:30+",
	        "25:00",
	        "09:30x",
	        "2024-05-01T09:30:00+2",
	        "2024-05-01T09:30:00+02:00x",
	        "-1",
	        "09:30 ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t ns;

		assert_int_equal(time_parse(texts[i], &ns), -EINVAL);
	}
}

static void what_is_written_is_read_back(void **state)
{
	static const int64_t times_ns[] = {0, 1714548600123456000, -1714548600123456000,
	                                   1234567890000000000};

	(void)state;
	in_berlin();
	for (size_t i = 0; i < sizeof(times_ns) / sizeof(times_ns[0]); i++) {
		char text[TIME_TEXT_BYTES];
		int64_t ns;

		time_format(times_ns[i], text);
		assert_int_equal(time_parse(text, &ns), 0);
		assert_int_equal(ns, times_ns[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(times_are_read),
	        cmocka_unit_test(a_time_without_a_day_is_today),
	        cmocka_unit_test(what_is_none_is_invalid),
	        cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests_name("time_text", tests, NULL, NULL);
}

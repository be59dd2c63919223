/*
 * "DURATION: a decimal number with us, ms, s (default), m, h, d, or inf", and how
 * durations are shown.
 */
#include "fixture.h"

#include <errno.h>

#include "common/duration.h"

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
	        {"0", 0},
	        {"1", NS_PER_SECOND},
	        {"1s", NS_PER_SECOND},
	        {"1.5", 3 * NS_PER_SECOND / 2},
	        {".5", NS_PER_SECOND / 2},
	        {"1.", NS_PER_SECOND},
	        {"250ms", 250 * NS_PER_MS},
	        {"0.5ms", NS_PER_MS / 2},
	        {"7us", 7 * NS_PER_US},
	        {"2m", 120 * NS_PER_SECOND},
	        {"0.25h", 900 * NS_PER_SECOND},
	        {"1d", 86400 * NS_PER_SECOND},
	        {"0.000000001", 1},
	        {"0.0000000001", 1},
	        {"0.0000000000", 0},
	        {"0.1", NS_PER_SECOND / 10},
	        {"1.000000000000000000000000000", NS_PER_SECOND},
	        {"000000000000000000000000000001", NS_PER_SECOND},
	        {"9223372036", INT64_C(9223372036000000000)},
	        {"9223372036.854775807", INT64_MAX},
	        {"inf", INV_FOREVER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ns = -7;
		assert_int_equal(duration_parse(rows[i].text, &ns), 0);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void what_is_none_is_invalid(void **state)
{
	static const char *const bad[] = {"",      ".",    "s",        "ms",  "-1",  "+1",
	                                  " 1",    "1 ",   "1 s",      "1x",  "1e3", "0x10",
	                                  "1.2.3", "inf ", "INF",      "nan", "1ns", "1S",
	                                  "1sec",  "1,5",  "infinity", "--1", "1min"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(bad[i], &ns), -EINVAL);
}

static void what_is_too_long_is_out_of_range(void **state)
{
	static const char *const bad[] = {"9223372037", "9223372036.854775808", "106752d",
	                                  "99999999999999999999", "9999999999999999999999999999h"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(bad[i], &ns), -ERANGE);
}

static void sums_know_for_ever_and_overflow(void **state)
{
	int64_t sum;

	(void)state;
	assert_int_equal(duration_add(1, 2, &sum), 0);
	assert_int_equal(sum, 3);
	assert_int_equal(duration_add(INV_FOREVER, INT64_MAX, &sum), 0);
	assert_int_equal(sum, INV_FOREVER);
	assert_int_equal(duration_add(5, INV_FOREVER, &sum), 0);
	assert_int_equal(sum, INV_FOREVER);
	assert_int_equal(duration_add(INT64_MAX, 1, &sum), -ERANGE);
}

static void durations_are_shown_in_two_units_at_most(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
	        {INV_FOREVER, "inf"},
	        {0, "0us"},
	        {850 * NS_PER_US, "850us"},
	        {NS_PER_MS, "1ms"},
	        {999 * NS_PER_MS, "999ms"},
	        {3200 * NS_PER_MS, "3.2s"},
	        {20 * NS_PER_SECOND + 40 * NS_PER_MS, "20s"},
	        {240 * NS_PER_SECOND, "4m"},
	        {7200 * NS_PER_SECOND, "2h"},
	        {245 * NS_PER_SECOND, "4m05s"},
	        {7620 * NS_PER_SECOND, "2h07m"},
	        {(3 * 24 + 4) * 3600 * NS_PER_SECOND, "3d04h"},
	        {INT64_MAX, "106751d23h"},
	};
	char text[DURATION_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		duration_format(rows[i].ns, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void how_long_ago_is_one_unit(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
	        {-1, "0s"},
	        {NS_PER_SECOND - 1, "0s"},
	        {59 * NS_PER_SECOND, "59s"},
	        {119 * NS_PER_SECOND, "1m"},
	        {7199 * NS_PER_SECOND, "1h"},
	        {86400 * NS_PER_SECOND, "1d"},
	        {INT64_MAX, "106751d"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[DURATION_TEXT_BYTES];

		duration_format_rough(rows[i].ns, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void a_sentence_has_seconds(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
	        {-1, "0.0 s"},
	        {99 * NS_PER_MS, "0.0 s"},
	        {300 * NS_PER_MS, "0.3 s"},
	        {3 * NS_PER_SECOND, "3 s"},
	        {9 * NS_PER_SECOND + 999 * NS_PER_MS, "9.9 s"},
	        {12 * NS_PER_SECOND + 500 * NS_PER_MS, "12 s"},
	        {245 * NS_PER_SECOND, "4m05s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[DURATION_TEXT_BYTES];

		duration_format_words(rows[i].ns, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(durations_are_read),
	        cmocka_unit_test(what_is_none_is_invalid),
	        cmocka_unit_test(what_is_too_long_is_out_of_range),
	        cmocka_unit_test(sums_know_for_ever_and_overflow),
	        cmocka_unit_test(durations_are_shown_in_two_units_at_most),
	        cmocka_unit_test(how_long_ago_is_one_unit),
	        cmocka_unit_test(a_sentence_has_seconds),
	};

	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}

/* Signals by the names that users write. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/signals.h"

static void parses_names_and_numbers(void **state)
{
	(void)state;
	assert_int_equal(signal_parse("TERM"), SIGTERM);
	assert_int_equal(signal_parse("SIGTERM"), SIGTERM);
	assert_int_equal(signal_parse("sigusr1"), SIGUSR1);
	assert_int_equal(signal_parse("15"), 15);
	assert_int_equal(signal_parse("RTMIN"), SIGRTMIN);
	assert_int_equal(signal_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signal_parse("RTMAX-1"), SIGRTMAX - 1);
}

static void refuses_what_is_none(void **state)
{
	static const char *const texts[] = {
	        "",        "0",       "-1",         "65",       "999",   "9999",
	        "15x",     "SIG",     "SIGSIGTERM", "NONSENSE", "RT",    "RTMIN+",
	        "RTMIN-1", "RTMAX+1", "RTMIN+99",   "RTMIN3",   " TERM",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(signal_parse(texts[i]), -1);
}

static void formats_what_it_parses(void **state)
{
	char text[SIGNAL_NAME_BYTES];

	(void)state;
	for (int signum = 1; signum <= SIGRTMAX; signum++) {
		signal_format(signum, text);
		assert_int_equal(signal_parse(text), signum);
	}
	signal_format(SIGINT, text);
	assert_string_equal(text, "INT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(parses_names_and_numbers),
	        cmocka_unit_test(refuses_what_is_none),
	        cmocka_unit_test(formats_what_it_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

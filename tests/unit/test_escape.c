/* Text of others must not move the cursor or change a terminal's title. */
#include "fixture.h"

#include <string.h>

#include "common/escape.h"

static void control_characters_and_broken_bytes_are_shown_as_such(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
	        {"", ""},
	        {"plain text", "plain text"},
	        {"ä €😀", "ä €😀"},
	        {"a\nb\tc", "a\\nb\\tc"},
	        {"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
	        {"\x7f", "\\x7f"},
	        {"\xc2\x9b"
	         "2J",
	         "\\x9b2J"},
	        {"\xff\xfe", "\\xff\\xfe"},
	        {"\xc3", "\\xc3"},
	        {"\xc0\xaf", "\\xc0\\xaf"},
	        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
	        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
	        {"\xe2\x82z", "\\xe2\\x82z"},
	};
	char out[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t length = escape_text(rows[i].text, out, sizeof(out));
		assert_string_equal(out, rows[i].shown);
		assert_int_equal(length, strlen(out));
	}
}

static void what_does_not_fit_is_cut_at_a_whole_character(void **state)
{
	static const char *const texts[] = {"ä€😀x", "\x1b\x1b\x1b", "a\nb\nc"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char full[64], out[64];
		escape_text(texts[i], full, sizeof(full));
		for (size_t size = 1; size < sizeof(out); size++) {
			size_t length = escape_text(texts[i], out, size);
			assert_true(length < size);
			assert_int_equal(length, strlen(out));
			assert_memory_equal(out, full, length);
			assert_true(((unsigned char)full[length] & 0xc0) != 0x80);
		}
	}
}

static void lengths_of_characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_length("a"), 1);
	assert_int_equal(utf8_length("ä"), 2);
	assert_int_equal(utf8_length("€"), 3);
	assert_int_equal(utf8_length("😀"), 4);
	assert_int_equal(utf8_length("\x80"), 0);
	assert_int_equal(utf8_length("\xf8\x88\x80\x80\x80"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(control_characters_and_broken_bytes_are_shown_as_such),
	        cmocka_unit_test(what_does_not_fit_is_cut_at_a_whole_character),
	        cmocka_unit_test(lengths_of_characters),
	};

	return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}

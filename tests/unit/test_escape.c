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
	        /* What turns the direction of text, ends a line, or has no shape. */
	        {"a\u202e"
	         "b",
	         "a\\u202eb"},
	        {"\u202a\u202d\u2066\u2069", "\\u202a\\u202d\\u2066\\u2069"},
	        {"\u200e\u200f\u061c", "\\u200e\\u200f\\u061c"},
	        {"\u2028\u2029\ufeff\u00ad", "\\u2028\\u2029\\ufeff\\u00ad"},
	        {"\u200b\u2060\ufff9", "\\u200b\\u2060\\ufff9"},
	        {"\U000e0001\U000e0041", "\\U000e0001\\U000e0041"},
	        /* What belongs to writing: combining marks, joiners, emoji with a variation. */
	        {"e\u0301 \u0646\u200c\u200d \u2764\ufe0f",
	         "e\u0301 \u0646\u200c\u200d \u2764\ufe0f"},
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
	static const char *const texts[] = {"ä€😀x", "\x1b\x1b\x1b", "a\nb\nc", "\u202e\U000e0041"};

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

static void any_text_fits_in_its_room(void **state)
{
	char point_text[] = "?", text[] = "\U000e0041\u00ad\x1b\xff";
	char out[ESCAPED_BYTES(sizeof(text))];

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char small[ESCAPED_BYTES(sizeof(point_text))];

		point_text[0] = (char)byte;
		assert_true(escape_text(point_text, small, sizeof(small)) > 0);
	}
	escape_text(text, out, sizeof(out));
	assert_string_equal(out, "\\U000e0041\\u00ad\\x1b\\xff");
}

static void characters_are_decoded(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		uint32_t point;
	} rows[] = {
	        {"a", 1, 'a'},
	        {"ä", 2, 0xe4},
	        {"€", 3, 0x20ac},
	        {"😀", 4, 0x1f600},
	        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	        {"\x80", 0, 0},
	        {"\xf8\x88\x80\x80\x80", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t point = 0;

		assert_int_equal(utf8_decode(rows[i].text, &point), rows[i].length);
		assert_int_equal(point, rows[i].point);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(control_characters_and_broken_bytes_are_shown_as_such),
	        cmocka_unit_test(what_does_not_fit_is_cut_at_a_whole_character),
	        cmocka_unit_test(any_text_fits_in_its_room),
	        cmocka_unit_test(characters_are_decoded),
	};

	return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}

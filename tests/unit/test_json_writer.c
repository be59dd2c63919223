/* JSON, written as it goes: what programs read must be JSON whatever others have called things. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"

/* What a test writes, as text. */
struct page {
	struct json json;
	char *text;
	size_t size;
};

static void begin(struct page *page, unsigned lines)
{
	page->json = json_begin(open_memstream(&page->text, &page->size), lines);
	assert_non_null(page->json.out);
}

static void assert_page(struct page *page, const char *expected)
{
	fclose(page->json.out);
	assert_string_equal(page->text, expected);
	free(page->text);
}

static void text_is_valid_and_harmless(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
	        {"", "\"\"\n"},
	        {"plain", "\"plain\"\n"},
	        {"say \"no\" \\", "\"say \\\"no\\\" \\\\\"\n"},
	        {"a\nb\tc\r\b\f", "\"a\\nb\\tc\\r\\b\\f\"\n"},
	        {"\x1b[31m\x7f", "\"\\u001b[31m\\u007f\"\n"},
	        {"\xc2\x9b", "\"\\u009b\"\n"},
	        {"ä 日 😀", "\"ä 日 😀\"\n"},
	        {"\u202e\ufeff", "\"\\u202e\\ufeff\"\n"},
	        {"\U000e0041", "\"\\udb40\\udc41\"\n"},
	        {"a\xff\xc3z", "\"a\ufffd\ufffdz\"\n"},
	        {"\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page page;

		begin(&page, 0);
		json_text(&page.json, NULL, rows[i].text);
		fputc('\n', page.json.out);
		assert_page(&page, rows[i].json);
	}
}

static void objects_and_arrays_nest(void **state)
{
	struct page page;

	(void)state;
	begin(&page, 0);
	json_object(&page.json, NULL);
	json_number(&page.json, "n", -7);
	json_array(&page.json, "list");
	json_end(&page.json);
	json_array(&page.json, "more");
	json_bool(&page.json, NULL, true);
	json_object(&page.json, NULL);
	json_end(&page.json);
	json_null(&page.json, NULL);
	json_end(&page.json);
	json_text_or_null(&page.json, "empty", "");
	json_decimal(&page.json, "d", 12.5);
	json_decimal(&page.json, "no", 1.0 / 0.0);
	json_end(&page.json);
	assert_page(&page, "{\"n\":-7,\"list\":[],\"more\":[true,{},null],\"empty\":null,"
	                   "\"d\":12.5,\"no\":null}\n");
}

static void levels_have_lines_of_their_own(void **state)
{
	struct page page;

	(void)state;
	begin(&page, 1);
	json_array(&page.json, NULL);
	json_object(&page.json, NULL);
	json_number(&page.json, "a", 1);
	json_end(&page.json);
	json_number(&page.json, NULL, 2);
	json_end(&page.json);
	assert_page(&page, "[\n{\"a\":1},\n2\n]\n");
	begin(&page, JSON_DEPTH_MAX);
	json_object(&page.json, NULL);
	json_array(&page.json, "a");
	json_number(&page.json, NULL, 1);
	json_end(&page.json);
	json_end(&page.json);
	assert_page(&page, "{\n  \"a\": [\n    1\n  ]\n}\n");
	begin(&page, 1);
	json_array(&page.json, NULL);
	json_end(&page.json);
	assert_page(&page, "[]\n");
}

static void times_ids_and_what_is_not_there(void **state)
{
	static const uint8_t nil[16], id[16] = {0xab, [15] = 1};
	struct page page;

	(void)state;
	setenv("TZ", "UTC-5:30", 1);
	begin(&page, 0);
	json_array(&page.json, NULL);
	json_time(&page.json, NULL, 0);
	json_time(&page.json, NULL, 1123456789);
	json_id(&page.json, NULL, nil);
	json_id(&page.json, NULL, id);
	json_number_or_null(&page.json, NULL, -1, -1);
	json_number_or_null(&page.json, NULL, 0, -1);
	json_text(&page.json, NULL, NULL);
	json_end(&page.json);
	assert_page(&page, "[null,\"1970-01-01T05:30:01.123456+05:30\",null,"
	                   "\"ab000000-0000-0000-0000-000000000001\",null,0,null]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(text_is_valid_and_harmless),
	        cmocka_unit_test(objects_and_arrays_nest),
	        cmocka_unit_test(levels_have_lines_of_their_own),
	        cmocka_unit_test(times_ids_and_what_is_not_there),
	};

	return cmocka_run_group_tests_name("json_writer", tests, NULL, NULL);
}

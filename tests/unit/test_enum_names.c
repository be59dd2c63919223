/*
 * Ids and words: version-4 UUIDs that never repeat, their text in any case, text in
 * shared memory shortened at a whole character, names for every number.
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "os/uuid.h"
#include "table/text.h"

enum { FRESH = 20000, CHILD_IDS = 64 };

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void assert_distinct(uint8_t (*ids)[16], size_t count)
{
	qsort(ids, count, 16, compare_ids);
	for (size_t i = 1; i < count; i++)
		assert_memory_not_equal(ids[i - 1], ids[i], 16);
}

static void fresh_ids_are_version_4_and_distinct(void **state)
{
	static uint8_t ids[FRESH][16];

	(void)state;
	for (int i = 0; i < FRESH; i++) {
		assert_int_equal(uuid_fresh(ids[i]), 0);
		assert_int_equal(ids[i][6] >> 4, 4);
		assert_int_equal(ids[i][8] >> 6, 2);
	}
	assert_distinct(ids, FRESH);
}

static void *draw_main(void *arg)
{
	uint8_t(*ids)[16] = arg;

	for (int i = 0; i < CHILD_IDS; i++)
		uuid_fresh(ids[i]);
	return NULL;
}

static void threads_draw_different_ones(void **state)
{
	static uint8_t ids[4 * CHILD_IDS][16];
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, draw_main, ids[i * CHILD_IDS]),
		                 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_distinct(ids, 4 * CHILD_IDS);
}

static int draw_in_child(struct fixture *fixture, void *ids)
{
	(void)fixture;
	draw_main(ids);
	return 0;
}

/* Parent and child both go on from the batch that was drawn before the fork. */
static void a_forked_child_draws_different_ones(void **state)
{
	struct fixture *fixture = *state;
	uint8_t(*ids)[16] = mmap(NULL, sizeof(uint8_t[3 * CHILD_IDS][16]), PROT_READ | PROT_WRITE,
	                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint8_t first[16];

	assert_true(ids != MAP_FAILED);
	assert_int_equal(uuid_fresh(first), 0);
	pid_t child = fixture_fork(fixture, draw_in_child, ids[CHILD_IDS]);
	pid_t second = fixture_fork(fixture, draw_in_child, ids[2 * CHILD_IDS]);
	draw_main(ids);
	assert_int_equal(fixture_reap(fixture, child), 0);
	assert_int_equal(fixture_reap(fixture, second), 0);
	assert_distinct(ids, 3 * CHILD_IDS);
	munmap(ids, sizeof(uint8_t[3 * CHILD_IDS][16]));
}

static void text_is_read_in_any_case(void **state)
{
	static const char lower[] = "0123abcd-ef01-4234-8567-89abcdef0123";
	static const char upper[] = "0123ABCD-EF01-4234-8567-89ABCDEF0123";
	uint8_t one[16], other[16];
	char text[37];

	(void)state;
	assert_int_equal(inv_id_parse(lower, one), 0);
	assert_int_equal(inv_id_parse(upper, other), 0);
	assert_memory_equal(one, other, 16);
	assert_int_equal(one[0], 0x01);
	assert_int_equal(one[15], 0x23);
	inv_id_format(one, text);
	assert_string_equal(text, lower);
}

static void what_is_no_uuid_is_invalid(void **state)
{
	static const char *const bad[] = {
	        "",
	        "0123abcd",
	        "0123abcd-ef01-4234-8567-89abcdef012",
	        "0123abcd-ef01-4234-8567-89abcdef01234",
	        "0123abcdef01423485670123456789abcdef",
	        "0123abcg-ef01-4234-8567-89abcdef0123",
	        "{123abcd-ef01-4234-8567-89abcdef012}",
	        " 0123abcd-ef01-4234-8567-89abcdef012",
	};
	uint8_t id[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(inv_id_parse(bad[i], id), -EINVAL);
}

static void text_is_shortened_at_a_whole_character(void **state)
{
	static const struct {
		const char *text, *kept;
	} rows[] = {
	        {NULL, ""},
	        {"", ""},
	        {"fifteen bytes!!", "fifteen bytes!!"},
	        {"sixteen bytes!!!", "sixteen bytes!!"},
	        {"thirteen chr\xc3\xa4", "thirteen chr\xc3\xa4"},
	        {"fourteen char\xc3\xa4", "fourteen char\xc3\xa4"},
	        {"fifteen chars \xc3\xa4", "fifteen chars "},
	        {"fourteen char \xe2\x82\xac", "fourteen char "},
	        {"twelve chars\xf0\x9f\x98\x80", "twelve chars"},
	        {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
	         "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
	};
	shared_u64 words[2];
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_store(words, 2, rows[i].text);
		text_load(words, 2, text);
		assert_string_equal(text, rows[i].kept);
	}
}

static void loaded_text_always_ends(void **state)
{
	shared_u64 words[2] = {UINT64_MAX, UINT64_MAX};
	char text[16];

	(void)state;
	text_load(words, 2, text);
	assert_int_equal(strnlen(text, sizeof(text)), 15);
}

static void every_number_has_a_word(void **state)
{
	static const char *const statuses[] = {"completed", "cancelled", "error", "pending",
	                                       "running"};
	static const char *const causes[] = {"none", "requested", "deadline", "parent", "interrupt",
	                                     "hold", "lost",      "exit",     "signal", "exec"};
	static const char *const states[] = {"none", "requested", "delivered", "signalled",
	                                     "killed"};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_string_equal(inv_status_name(i), statuses[i]);
	for (int i = 0; i < 10; i++)
		assert_string_equal(inv_cause_name(i), causes[i]);
	for (int i = 0; i < 5; i++)
		assert_string_equal(inv_cancel_state_name(i), states[i]);
	for (int i = 10; i < 200; i += 63) {
		assert_string_equal(inv_status_name(i), "unknown");
		assert_string_equal(inv_cause_name(i), "unknown");
		assert_string_equal(inv_cancel_state_name(-i), "unknown");
	}
}

static void every_error_has_a_sentence(void **state)
{
	(void)state;
	for (int error = 0; error < 140; error++) {
		assert_non_null(inv_strerror(-error));
		assert_true(strlen(inv_strerror(-error)) > 3);
		assert_string_equal(inv_strerror(-error), inv_strerror(error));
	}
	assert_non_null(inv_strerror(-99999));
	assert_string_equal(inv_strerror(-ECANCELED), "asked to stop");
}

static void the_version_is_three_numbers(void **state)
{
	int major, minor, patch, length = 0;

	(void)state;
	assert_int_equal(sscanf(inv_version(), "%d.%d.%d%n", &major, &minor, &patch, &length), 3);
	assert_int_equal(length, strlen(inv_version()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(fresh_ids_are_version_4_and_distinct),
	        cmocka_unit_test(threads_draw_different_ones),
	        TABLE_TEST(a_forked_child_draws_different_ones),
	        cmocka_unit_test(text_is_read_in_any_case),
	        cmocka_unit_test(what_is_no_uuid_is_invalid),
	        cmocka_unit_test(text_is_shortened_at_a_whole_character),
	        cmocka_unit_test(loaded_text_always_ends),
	        cmocka_unit_test(every_number_has_a_word),
	        cmocka_unit_test(every_error_has_a_sentence),
	        cmocka_unit_test(the_version_is_three_numbers),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}

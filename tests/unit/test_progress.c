/*
 * "shown by list, show, top, monitor"; "each row consistent in itself".
 */
#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/slot.h"

static inv_invocation *begin(struct fixture *fixture, uint8_t id[16])
{
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	return invocation;
}

static void what_was_told_is_shown(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	assert_true(fixture_info(fixture, id).progress_percent < 0);
	assert_int_equal(inv_progress(0, "starting"), 0);
	assert_true(fixture_info(fixture, id).progress_percent == 0);
	assert_string_equal(fixture_info(fixture, id).progress_text, "starting");
	assert_int_equal(inv_progress(33.25, NULL), 0);
	assert_true(fixture_info(fixture, id).progress_percent == 33.25);
	assert_string_equal(fixture_info(fixture, id).progress_text, "");
	assert_int_equal(inv_progress(100, "done"), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_true(fixture_info(fixture, id).progress_percent == 100);
	assert_string_equal(fixture_info(fixture, id).progress_text, "done");
}

static void what_is_no_percentage_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const double bad[] = {-0.001, 100.001, 1e300, -1e300};
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(inv_progress(bad[i], "x"), -EINVAL);
	assert_int_equal(inv_progress((double)NAN, "x"), -EINVAL);
	assert_int_equal(inv_progress((double)INFINITY, "x"), -EINVAL);
	assert_true(fixture_info(fixture, id).progress_percent < 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void a_long_text_ends_at_a_whole_character(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	assert_int_equal(inv_progress(1, "ääääääääääääääääääää"), 0);
	assert_string_equal(fixture_info(fixture, id).progress_text, "äääääääääääääää");
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void the_next_tenant_starts_without(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_context *context;

	for (int i = 0; i < 2 * SMALL_TABLE; i++) {
		fixture_id(id);
		assert_int_equal(inv_context_enter(fixture->table, id, &context), 0);
		assert_true(fixture_info(fixture, id).progress_percent < 0);
		assert_int_equal(inv_progress(50, "half"), 0);
		assert_int_equal(inv_context_leave(context), 0);
	}
}

static void a_writer_killed_midway_blocks_nobody(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	struct slot_ref ref;
	uint64_t word;
	inv_invocation *invocation = begin(fixture, id);

	assert_int_equal(inv_progress(10, "ten"), 0);
	assert_int_equal(slot_find(fixture->table, id, &ref, &word), 0);
	/* as a SIGKILL leaves it in the middle of writing */
	atomic_fetch_add(&fixture->table->slots[ref.index].progress_word, 1);
	struct inv_info info = fixture_info(fixture, id);
	assert_true(info.progress_percent < 0);
	assert_string_equal(info.progress_text, "");
	assert_int_equal(inv_progress(20, "twenty"), 0);
	info = fixture_info(fixture, id);
	assert_true(info.progress_percent == 20);
	assert_string_equal(info.progress_text, "twenty");
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

struct writer {
	struct fixture *fixture;
	_Atomic int stop;
	uint8_t id[16];
};

static int write_until_stopped(void *arg)
{
	struct writer *writer = arg;
	char text[INV_PROGRESS_BYTES];

	inv_current_id(writer->id);
	for (int i = 0; !atomic_load(&writer->stop); i = (i + 1) % 101) {
		snprintf(text, sizeof(text), "%d %d %d %d %d", i, i, i, i, i);
		if (inv_progress(i, text) != 0)
			return -EIO;
	}
	return 0;
}

static void a_row_is_of_one_telling(void **state)
{
	struct fixture *fixture = *state;
	struct writer writer = {.fixture = fixture};
	char text[INV_PROGRESS_BYTES];
	inv_thread *thread;
	uint8_t id[16];
	int told = 0, result = 1;

	assert_int_equal(inv_thread_start(&thread, fixture->table, write_until_stopped, &writer),
	                 0);
	inv_thread_id(thread, id);
	for (int i = 0; i < 20000; i++) {
		struct inv_info info = fixture_info(fixture, id);
		if (info.progress_percent < 0)
			continue;
		int percent = (int)info.progress_percent;
		snprintf(text, sizeof(text), "%d %d %d %d %d", percent, percent, percent, percent,
		         percent);
		assert_string_equal(info.progress_text, text);
		told++;
	}
	EVENTUALLY(told > 0 || fixture_info(fixture, id).progress_percent >= 0);
	atomic_store(&writer.stop, 1);
	assert_int_equal(inv_thread_join(thread, &result), 0);
	assert_int_equal(result, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(what_was_told_is_shown),
	        TABLE_TEST(what_is_no_percentage_is_refused),
	        TABLE_TEST(a_long_text_ends_at_a_whole_character),
	        SMALL_TABLE_TEST(the_next_tenant_starts_without),
	        TABLE_TEST(a_writer_killed_midway_blocks_nobody),
	        TABLE_TEST(a_row_is_of_one_telling),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}

/*
 * Contract 5, "the broker keeps a copy in its state directory, so that it survives the broker and a
 * reboot": hold_copy.c. A table that is made anew stands for a reboot: nothing of the former one is
 * left but the copy.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/broker.h"
#include "os/clock.h"
#include "table/table.h"

static void copy_path(const struct fixture *fixture, const char *name, char path[256])
{
	snprintf(path, 256, "%s/%s/%s", fixture->state_directory, fixture->name, name);
}

static bool copy_exists(const struct fixture *fixture, const char *name)
{
	char path[256];
	struct stat status;

	copy_path(fixture, name, path);
	return lstat(path, &status) == 0;
}

static void make_anew(struct fixture *fixture)
{
	char path[128];

	fixture_path(fixture, path);
	assert_int_equal(unlink(path), 0);
	inv_close(fixture->table);
	assert_int_equal(fixture_make_table(fixture, SMALL_TABLE), 0);
}

static void a_hold_stands_in_a_table_that_is_made_anew(void **state)
{
	struct fixture *fixture = *state;
	struct inv_actor actor = {.terminal = "pts/3", .script = "alarm.sh"};
	struct inv_request before, after;
	inv_invocation *invocation;
	struct stat status;
	char path[256];

	inv_actor_set(&actor);
	assert_int_equal(inv_hold(fixture->table, "a note\nof two lines"), 0);
	inv_actor_set(&(struct inv_actor){0});
	assert_int_equal(inv_hold_await_stored(fixture->table, 0), -ETIMEDOUT);
	assert_true(broker_hold_needs_table(fixture->table));
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	assert_int_equal(inv_hold_await_stored(fixture->table, 0), 0);
	assert_int_equal(inv_hold_get(fixture->table, &before), 1);
	copy_path(fixture, "hold", path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	make_anew(fixture);
	assert_int_equal(inv_hold_get(fixture->table, &after), 1);
	before.age_ns = after.age_ns = 0;
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(inv_hold_await_stored(fixture->table, 0), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), -EPERM);
}

static void an_address_is_kept_and_the_age_counts_on(void **state)
{
	struct fixture *fixture = *state;
	const int64_t year_ns = 365 * 24 * 3600 * SECOND;
	struct inv_request hold;

	inv_actor_set(&(struct inv_actor){.address = "10.0.0.7", .command = "console"});
	assert_int_equal(inv_hold(fixture->table, NULL), 0);
	inv_actor_set(&(struct inv_actor){0});
	/* Longer ago than this machine runs. */
	atomic_fetch_sub(&fixture->table->header->hold.time_ns, year_ns);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	make_anew(fixture);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_string_equal(hold.address, "10.0.0.7");
	assert_string_equal(hold.command, "console");
	assert_string_equal(hold.reason, "");
	assert_in_range(hold.age_ns, year_ns, year_ns + 60 * SECOND);
}

static void a_release_does_not_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct inv_request hold;

	assert_int_equal(inv_hold(fixture->table, NULL), 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	assert_int_equal(inv_release(fixture->table), 0);
	assert_true(broker_hold_needs_table(fixture->table));
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	assert_false(broker_hold_needs_table(fixture->table));
	assert_false(copy_exists(fixture, "hold"));
	make_anew(fixture);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 0);
}

/* Released while no broker lived: the next one finds the table, which is right. */
static void a_live_table_is_right_and_not_the_copy(void **state)
{
	struct fixture *fixture = *state;
	struct broker_create create = {.name = fixture->name};
	struct inv_request hold;
	inv_table *again;
	bool created;

	assert_int_equal(inv_hold(fixture->table, "former"), 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	assert_int_equal(inv_release(fixture->table), 0);
	assert_int_equal(broker_open(&create, &again, &created), 0);
	assert_false(created);
	assert_int_equal(inv_hold_get(again, &hold), 0);
	assert_int_equal(broker_keep_hold(again), 0);
	assert_false(copy_exists(fixture, "hold"));
	inv_close(again);
}

/* What is killed between the file and hold_stored is done again; what was left under the new file's
 * name is no hindrance. */
static void a_keep_that_was_killed_is_done_again(void **state)
{
	struct fixture *fixture = *state;
	char path[256];

	assert_int_equal(inv_hold(fixture->table, "whole"), 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	atomic_store(&fixture->table->header->hold_stored, 0);
	copy_path(fixture, "hold.new", path);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	assert_false(copy_exists(fixture, "hold.new"));
	assert_int_equal(inv_hold_await_stored(fixture->table, 0), 0);
}

static void overwrite(const struct fixture *fixture, const char *bytes, size_t size)
{
	char path[256];

	copy_path(fixture, "hold", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void assert_held_and_unknown(struct fixture *fixture)
{
	struct inv_request hold;

	make_anew(fixture);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_int_equal(hold.pid, 0);
	assert_non_null(strstr(hold.reason, "its stored copy"));
	assert_in_range(hold.age_ns, 0, 60 * SECOND);
	assert_int_equal(inv_hold_await_stored(fixture->table, 0), -ETIMEDOUT);
}

/* "fail safe": nothing starts until an operator has seen it. */
static void a_damaged_copy_is_a_hold_of_which_nothing_is_known(void **state)
{
	static const char good[] = "invctl hold 1\0time=5\0uid=7\0pid=9\0note=n\0end";
	static const char big[2000] = "invctl hold 1";
	struct fixture *fixture = *state;
	const struct {
		const char *bytes;
		size_t size;
	} damaged[] = {
	        {good, 0},
	        {good, 10},
	        {good, sizeof(good) - 5},
	        {good, sizeof(good) - 1},
	        {"invctl hold 2\0end", 18},
	        {big, sizeof(big)},
	};

	assert_int_equal(inv_hold(fixture->table, NULL), 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		overwrite(fixture, damaged[i].bytes, damaged[i].size);
		assert_held_and_unknown(fixture);
		/* Repaired. */
		assert_int_equal(broker_keep_hold(fixture->table), 0);
		make_anew(fixture);
		assert_int_equal(inv_hold_await_stored(fixture->table, 0), 0);
	}
	overwrite(fixture, good, sizeof(good));
	make_anew(fixture);
	struct inv_request hold;
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_int_equal(hold.uid, 7);
	assert_int_equal(hold.pid, 9);
	assert_string_equal(hold.reason, "n");
}

static void what_others_could_have_written_is_not_read(void **state)
{
	struct fixture *fixture = *state;
	char path[256];

	assert_int_equal(inv_hold(fixture->table, "forged"), 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	copy_path(fixture, "hold", path);
	assert_int_equal(chmod(path, 0666), 0);
	assert_held_and_unknown(fixture);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_held_and_unknown(fixture);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_held_and_unknown(fixture);
	/* It can't be replaced, and so the hold counts as not stored. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_held_and_unknown(fixture);
	assert_true(broker_keep_hold(fixture->table) < 0);
	assert_int_equal(inv_release(fixture->table), 0);
	assert_true(broker_keep_hold(fixture->table) < 0);
	assert_true(broker_hold_needs_table(fixture->table));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
}

static void a_copy_of_another_user_is_not_read(void **state)
{
	struct fixture *fixture = *state;
	char path[256];

	fixture_need_root();
	assert_int_equal(inv_hold(fixture->table, "forged"), 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	copy_path(fixture, "hold", path);
	assert_int_equal(chown(path, 61001, 61001), 0);
	assert_held_and_unknown(fixture);
}

/* On a full disk the former copy stays whole, and the hold counts as not stored. */
static void what_can_not_be_written_is_not_stored(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit before, none;
	struct inv_request hold;

	assert_int_equal(inv_hold(fixture->table, "first"), 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	assert_int_equal(inv_hold(fixture->table, "second"), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	int error = broker_keep_hold(fixture->table);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(error, -EFBIG);
	assert_false(copy_exists(fixture, "hold.new"));
	assert_int_equal(inv_hold_await_stored(fixture->table, MILLISECOND), -ETIMEDOUT);
	make_anew(fixture);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_string_equal(hold.reason, "first");
}

static void without_a_state_directory_there_is_no_copy(void **state)
{
	struct fixture *fixture = *state;
	struct inv_request hold;

	setenv("INVCTL_STATE_DIR", "relative", 1);
	assert_int_equal(inv_hold(fixture->table, NULL), 0);
	assert_int_equal(broker_keep_hold(fixture->table), -ENOTDIR);
	make_anew(fixture);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 0);
	setenv("INVCTL_STATE_DIR", fixture->state_directory, 1);
}

static int await_stored(struct fixture *fixture, void *arg)
{
	(void)arg;
	atomic_store(&fixture->counters[0], 1);
	return inv_hold_await_stored(fixture->table, INV_FOREVER) == 0 ? 7 : 1;
}

static void who_waits_for_the_copy_wakes_when_it_is_there(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(inv_hold(fixture->table, NULL), 0);
	pid_t waiter = fixture_fork(fixture, await_stored, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[0]) && fixture_asleep(waiter, waiter));
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	assert_int_equal(fixture_reap(fixture, waiter), 7);
}

/* Any process may write there: it changes what is said, and nothing else. */
static void any_bytes_in_the_words_of_the_hold_are_harmless(void **state)
{
	struct fixture *fixture = *state;
	struct header *header = fixture->table->header;
	struct inv_request hold;

	memset(&header->hold, 0xff, sizeof(header->hold));
	atomic_store(&header->hold_stored, 12345);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	atomic_fetch_and(&header->hold.word, ~UINT64_C(2));
	atomic_store(&header->hold.monotonic_ns, INT64_MIN);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_int_equal(hold.age_ns, 0);
	assert_int_equal(broker_keep_hold(fixture->table), 0);
	make_anew(fixture);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_int_equal(inv_release(fixture->table), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_hold_stands_in_a_table_that_is_made_anew),
	        TABLE_TEST(an_address_is_kept_and_the_age_counts_on),
	        TABLE_TEST(a_release_does_not_come_back),
	        TABLE_TEST(a_live_table_is_right_and_not_the_copy),
	        TABLE_TEST(a_keep_that_was_killed_is_done_again),
	        TABLE_TEST(a_damaged_copy_is_a_hold_of_which_nothing_is_known),
	        TABLE_TEST(what_others_could_have_written_is_not_read),
	        TABLE_TEST(a_copy_of_another_user_is_not_read),
	        TABLE_TEST(what_can_not_be_written_is_not_stored),
	        TABLE_TEST(without_a_state_directory_there_is_no_copy),
	        TABLE_TEST(who_waits_for_the_copy_wakes_when_it_is_there),
	        TABLE_TEST(any_bytes_in_the_words_of_the_hold_are_harmless),
	};

	return cmocka_run_group_tests_name("hold_copy", tests, NULL, NULL);
}

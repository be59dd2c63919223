/*
 * The invocation's log: "levels as syslog(3)"; "The last 1000 are always kept"; what
 * could not be written "is counted and told" and the action goes on.
 */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <unistd.h>

#include "invctl-supervisor.h"

enum {
	KEPT = 1000,
	LONG_TEXT = 4000,
	MANY = 2500,
	SHORT_MANY = 3000,
	FLOOD = 12000,
	WRITERS = 8,
	EACH = 200
};

struct records {
	int count;
	int64_t last_ns;
	int level;
	bool in_time_order;
	char last[8192];
	int first_number, next_number; /* of texts that begin with a number */
	bool gap;
};

static int note(int64_t time_ns, int level, const char *text, void *arg)
{
	struct records *records = arg;
	int number = atoi(text);

	records->in_time_order =
	        records->count == 0 || (records->in_time_order && time_ns >= records->last_ns);
	if (records->count == 0)
		records->first_number = number;
	else if (number != records->next_number)
		records->gap = true;
	records->next_number = number + 1;
	records->count++;
	records->last_ns = time_ns;
	records->level = level;
	snprintf(records->last, sizeof(records->last), "%s", text);
	return 0;
}

static struct records read_log(struct fixture *fixture, const uint8_t id[16])
{
	struct records records = {0};

	assert_int_equal(inv_log_read(fixture->table, id, note, &records), 0);
	return records;
}

static inv_invocation *begin(struct fixture *fixture, uint8_t id[16])
{
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	return invocation;
}

static void every_level_is_read_back(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	assert_int_equal(read_log(fixture, id).count, 0);
	for (int level = LOG_EMERG; level <= LOG_DEBUG; level++) {
		assert_int_equal(inv_log(level, "%d of %s", level, "eight"), 0);
		struct records records = read_log(fixture, id);
		assert_int_equal(records.count, level + 1);
		assert_int_equal(records.level, level);
		assert_true(records.in_time_order && records.last_ns > 0);
		assert_int_equal(atoi(records.last), level);
		assert_string_equal(records.last + 1, " of eight");
	}
	assert_int_equal(inv_log_text(LOG_EMERG - 1, "x"), -EINVAL);
	assert_int_equal(inv_log_text(LOG_DEBUG + 1, "x"), -EINVAL);
	assert_int_equal(inv_log_text(LOG_INFO, NULL), -EINVAL);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_int_equal(read_log(fixture, id).count, LOG_DEBUG + 1);
	assert_int_equal(fixture_info(fixture, id).log_lost, 0);
}

static void any_text_comes_back_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	static const char *const texts[] = {
	        "",     " ",    "two\nlines", "\n",  "\\n",   "\\", "a\\\nb\\\\n",
	        "-3.2", "%s%n", "\t\x1b[31m", "ä€😀", "7 6 5",
	};
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(inv_log_text(LOG_INFO, texts[i]), 0);
		struct records records = read_log(fixture, id);
		assert_int_equal(records.count, i + 1);
		assert_string_equal(records.last, texts[i]);
	}
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void a_long_text_ends_at_a_whole_character(void **state)
{
	struct fixture *fixture = *state;
	static const char character[] = "\xe2\x82\xac"; /* three bytes */
	char text[9001];
	uint8_t id[16];

	for (size_t shift = 0; shift < 3; shift++) {
		inv_invocation *invocation = begin(fixture, id);
		memset(text, 'x', shift);
		for (size_t i = shift; i < sizeof(text) - 1; i++)
			text[i] = character[(i - shift) % 3];
		text[sizeof(text) - 1] = '\0';
		assert_int_equal(inv_log_text(LOG_INFO, text), 0);
		struct records records = read_log(fixture, id);
		size_t length = strlen(records.last);
		assert_int_equal(records.count, 1);
		assert_in_range(length, LONG_TEXT, 4096);
		assert_int_equal((length - shift) % 3, 0);
		assert_memory_equal(records.last, text, length);
		assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	}
}

static void the_last_thousand_are_kept_through_rotation(void **state)
{
	struct fixture *fixture = *state;
	static char filler[LONG_TEXT + 1];
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	memset(filler, 'x', LONG_TEXT);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(inv_log(LOG_INFO, "%d %s", i, filler), 0);
		if (i % 250 != 0 && i < MANY - 5)
			continue;
		struct records records = read_log(fixture, id);
		assert_int_equal(records.next_number, i + 1);
		assert_true(records.count >= (i + 1 < KEPT ? i + 1 : KEPT));
		assert_false(records.gap);
		assert_true(records.in_time_order);
	}
	assert_true(read_log(fixture, id).count < MANY); /* it does not grow for ever */
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

/* Not so far ahead of the reader, which may be slow, that two rotations come in one read. */
static int log_a_flood(struct fixture *fixture, void *arg)
{
	const char *filler = arg;
	int64_t begun_ns = patience_begin();
	int failed = 0;

	for (int i = 0; i < FLOOD; i++) {
		while (i > atomic_load(&fixture->counters[1]) + KEPT && patience_left(begun_ns))
			;
		failed += inv_log(LOG_INFO, "%d %s", i, filler) != 0;
	}
	atomic_store(&fixture->counters[0], 1);
	return failed > 0;
}

static void a_reader_misses_none_while_files_are_rotated(void **state)
{
	struct fixture *fixture = *state;
	static char filler[LONG_TEXT + 1];
	int64_t begun_ns = patience_begin();
	int seen = 0, ended;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	memset(filler, 'x', LONG_TEXT);
	fixture_environment(id);
	pid_t writer = fixture_fork(fixture, log_a_flood, filler);
	do {
		ended = atomic_load(&fixture->counters[0]);
		struct records records = read_log(fixture, id);
		assert_false(records.gap);
		/* The newest are there, and with them the thousand before. */
		assert_true(records.next_number >= seen);
		assert_true(records.count >=
		            (records.next_number < KEPT ? records.next_number : KEPT));
		seen = records.next_number;
		atomic_store(&fixture->counters[1], seen);
	} while (!ended && patience_left(begun_ns));
	assert_int_equal(seen, FLOOD);
	assert_int_equal(fixture_reap(fixture, writer), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void short_records_are_all_there(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	for (int i = 0; i < SHORT_MANY; i++)
		assert_int_equal(inv_log(LOG_INFO, "%d", i), 0);
	struct records records = read_log(fixture, id);
	assert_int_equal(records.count, SHORT_MANY);
	assert_int_equal(records.first_number, 0);
	assert_false(records.gap);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static int log_each(struct fixture *fixture, void *arg)
{
	(void)fixture;
	for (int i = 0; i < EACH; i++)
		if (inv_log(LOG_INFO, "process %d record %d end", (int)getpid(), i) != 0)
			return 1;
	(void)arg;
	return 0;
}

static int count_whole(int64_t time_ns, int level, const char *text, void *arg)
{
	int pid, number, length = 0;

	(void)time_ns;
	sscanf(text, "process %d record %d end%n", &pid, &number, &length);
	*(int *)arg += level == LOG_INFO && length > 0 && text[length] == '\0';
	return 0;
}

static void processes_log_at_once_and_records_stay_whole(void **state)
{
	struct fixture *fixture = *state;
	pid_t writers[WRITERS];
	uint8_t id[16];
	int whole = 0;
	inv_invocation *invocation = begin(fixture, id);

	fixture_environment(id);
	for (int i = 0; i < WRITERS; i++)
		writers[i] = fixture_fork(fixture, log_each, NULL);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(fixture_reap(fixture, writers[i]), 0);
	assert_int_equal(inv_log_read(fixture->table, id, count_whole, &whole), 0);
	assert_int_equal(whole, WRITERS * EACH);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static int stop_at_second(int64_t time_ns, int level, const char *text, void *arg)
{
	(void)time_ns;
	(void)level;
	(void)text;
	return ++*(int *)arg == 2 ? 17 : 0;
}

static void reading_stops_when_told(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	int count = 0;
	inv_invocation *invocation = begin(fixture, id);

	for (int i = 0; i < 3; i++)
		assert_int_equal(inv_log_text(LOG_INFO, "x"), 0);
	assert_int_equal(inv_log_read(fixture->table, id, stop_at_second, &count), 17);
	assert_int_equal(count, 2);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void what_leaves_no_record_leaves_no_log(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	char path[4096];
	inv_context *context;

	fixture_id(id);
	assert_int_equal(inv_context_enter(fixture->table, id, &context), 0);
	assert_int_equal(inv_log_text(LOG_INFO, "x"), 0);
	assert_int_equal(inv_state_path(fixture->table, id, "log", path, sizeof(path)), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(inv_context_leave(context), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_record_cut_short_spoils_no_other(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	char path[4096];
	inv_invocation *invocation = begin(fixture, id);

	assert_int_equal(inv_log_text(LOG_INFO, "before"), 0);
	assert_int_equal(inv_state_path(fixture->table, id, "log", path, sizeof(path)), 0);
	FILE *file = fopen(path, "a");
	assert_non_null(file);
	fputs("1234\n\n17 99 3 bad level\n17 6 9 cut off\n17 6 3 more\nnonsense\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(inv_log_text(LOG_INFO, "after"), 0);
	struct records records = read_log(fixture, id);
	assert_int_equal(records.count, 2);
	assert_string_equal(records.last, "after");
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

/* Under a limit on the size of files: returns how many of a hundred failed. */
static int log_under_limit(struct fixture *fixture, void *arg)
{
	rlim_t bytes = *(rlim_t *)arg;
	struct rlimit limit;
	int failed = 0;

	(void)fixture;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 101;
	for (int i = 0; i < 100; i++)
		failed += inv_log(LOG_INFO, "%d and so on", i) < 0;
	return inv_check() == 0 ? failed : 102;
}

static int log_with_a_pending_signal(struct fixture *fixture, void *arg)
{
	const struct rlimit none = {0};
	sigset_t limit, mask;

	(void)fixture;
	(void)arg;
	sigemptyset(&limit);
	sigaddset(&limit, SIGXFSZ);
	if (setrlimit(RLIMIT_FSIZE, &none) != 0 || inv_log(LOG_INFO, "x") != -EFBIG ||
	    sigprocmask(SIG_BLOCK, &limit, NULL) != 0)
		return 1;
	if (sigpending(&mask) != 0 || sigismember(&mask, SIGXFSZ) != 0)
		return 2;
	raise(SIGXFSZ);
	if (inv_log(LOG_INFO, "x") != -EFBIG)
		return 3;
	/* The program's own is still there, and its mask as it was. */
	if (sigpending(&mask) != 0 || sigismember(&mask, SIGXFSZ) != 1)
		return 4;
	return sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGXFSZ) == 1 ? 0
	                                                                                      : 5;
}

static void a_limit_on_files_sends_the_program_no_signal(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	fixture_environment(id);
	fixture_assert_holds(fixture, log_with_a_pending_signal, NULL);
	assert_int_equal(fixture_info(fixture, id).log_lost, 2);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void log_until_there_is_no_room(struct fixture *fixture, rlim_t bytes)
{
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	fixture_environment(id);
	int failed = fixture_reap(fixture, fixture_fork(fixture, log_under_limit, &bytes));
	assert_in_range(failed, 1, 99);
	assert_int_equal(fixture_info(fixture, id).log_lost, failed);
	/* The record that the limit cut in two is not there, as far as it came. */
	struct records records = read_log(fixture, id);
	assert_int_equal(records.count, 100 - failed);
	assert_false(records.gap);
	assert_non_null(strstr(records.last, " and so on"));
	/* There is room again. */
	assert_int_equal(inv_log_text(LOG_INFO, "again"), 0);
	assert_int_equal(read_log(fixture, id).count, 100 - failed + 1);
	assert_string_equal(read_log(fixture, id).last, "again");
	assert_int_equal(fixture_info(fixture, id).log_lost, failed);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void what_finds_no_room_is_counted(void **state)
{
	/* Wherever in a record the room ends. */
	for (rlim_t bytes = 1000; bytes < 1050; bytes++)
		log_until_there_is_no_room(*state, bytes);
}

static void a_full_disk_is_enospc_and_counted(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	char path[4096];
	inv_invocation *invocation = begin(fixture, id);

	assert_int_equal(inv_state_path(fixture->table, id, "log", path, sizeof(path)), 0);
	/* the device that is always full */
	bool made = fixture_permitted(mknod(path, S_IFCHR | 0600, makedev(1, 7)) == 0, "a device");
	if (made) {
		assert_int_equal(inv_log_text(LOG_INFO, "x"), -ENOSPC);
		assert_int_equal(fixture_info(fixture, id).log_lost, 1);
	}
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	if (!made)
		skip();
}

static void no_state_directory_is_an_error_and_counted(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	setenv("INVCTL_STATE_DIR", "/dev/null/nowhere", 1);
	assert_int_equal(inv_log_text(LOG_INFO, "x"), -ENOTDIR);
	assert_int_equal(fixture_info(fixture, id).log_lost, 1);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void a_format_that_can_not_be_written_is_invalid(void **state)
{
	struct fixture *fixture = *state;
	static const wchar_t no_character[] = {(wchar_t)0x7fffffff, 0};
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	assert_int_equal(inv_log(LOG_INFO, "%ls", no_character), -EINVAL);
	assert_int_equal(read_log(fixture, id).count, 0);
	assert_int_equal(fixture_info(fixture, id).log_lost, 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void a_link_in_its_place_is_not_followed(void **state)
{
	struct records records = {0};
	struct fixture *fixture = *state;
	uint8_t id[16];
	char path[4096], target[128];
	inv_invocation *invocation = begin(fixture, id);

	snprintf(target, sizeof(target), "%s/target", fixture->state_directory);
	assert_int_equal(inv_state_path(fixture->table, id, "log", path, sizeof(path)), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(inv_log_text(LOG_INFO, "x"), -ELOOP);
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(inv_log_read(fixture->table, id, note, &records), -ELOOP);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static inv_log_reader *open_reader(struct fixture *fixture, const uint8_t id[16])
{
	inv_log_reader *reader;

	assert_int_equal(inv_log_open(inv_table_name(fixture->table), id, &reader), 0);
	return reader;
}

static void a_record_knows_how_much_output_was_kept_before_it(void **state)
{
	static const char *const outputs[] = {"", "one\n", "two, no end"};
	struct fixture *fixture = *state;
	struct inv_log_record record;
	uint64_t length = 0;
	uint8_t id[16];
	char path[4096];
	inv_invocation *invocation = begin(fixture, id);
	inv_log_reader *reader = open_reader(fixture, id);

	assert_int_equal(inv_log_next(reader, &record), 0);
	assert_int_equal(inv_state_path(fixture->table, id, "out", path, sizeof(path)), 0);
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		FILE *output = fopen(path, "a");
		assert_non_null(output);
		fputs(outputs[i], output);
		assert_int_equal(fclose(output), 0);
		length += strlen(outputs[i]);
		assert_int_equal(inv_log_text(LOG_INFO, "x"), 0);
		assert_int_equal(inv_log_next(reader, &record), 1);
		assert_int_equal(record.output_bytes, length);
		assert_int_equal(inv_log_next(reader, &record), 0);
	}
	inv_log_close(reader);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

/* Two rotations between two turns of the reader are the most that it is held to. */
static void a_reader_follows_rotations(void **state)
{
	struct fixture *fixture = *state;
	static char filler[LONG_TEXT + 1];
	struct inv_log_record record;
	uint8_t id[16];
	int written = 0, seen = 0, result;
	inv_invocation *invocation = begin(fixture, id);
	inv_log_reader *reader = open_reader(fixture, id);

	memset(filler, 'x', LONG_TEXT);
	for (int burst = 1; burst <= 5; burst++) {
		for (int i = 0; i < burst * 350; i++)
			assert_int_equal(inv_log(LOG_INFO, "%d %s", written++, filler), 0);
		while ((result = inv_log_next(reader, &record)) == 1)
			assert_int_equal(atoi(record.text), seen++);
		assert_int_equal(result, 0);
		assert_int_equal(seen, written);
	}
	inv_log_close(reader);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

/* A writer that had opened the file before it was rotated. */
static void a_late_record_in_the_former_file_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct inv_log_record record;
	uint8_t id[16];
	char path[4096], former[4096];
	inv_invocation *invocation = begin(fixture, id);
	inv_log_reader *reader = open_reader(fixture, id);

	assert_int_equal(inv_log_text(LOG_INFO, "first"), 0);
	assert_int_equal(inv_log_next(reader, &record), 1);
	assert_int_equal(inv_state_path(fixture->table, id, "log", path, sizeof(path)), 0);
	assert_int_equal(inv_state_path(fixture->table, id, "log.1", former, sizeof(former)), 0);
	FILE *late = fopen(path, "a");
	assert_non_null(late);
	assert_int_equal(rename(path, former), 0);
	assert_int_equal(inv_log_next(reader, &record), 0);
	assert_int_equal(inv_log_text(LOG_INFO, "second"), 0);
	assert_int_equal(inv_log_next(reader, &record), 1);
	assert_string_equal(record.text, "second");
	fputs("17 6 0 4 la", late);
	fflush(late);
	assert_int_equal(inv_log_next(reader, &record), 0);
	fputs("te\n", late);
	assert_int_equal(fclose(late), 0);
	assert_int_equal(inv_log_next(reader, &record), 1);
	assert_string_equal(record.text, "late");
	assert_int_equal(inv_log_next(reader, &record), 0);
	inv_log_close(reader);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void what_is_no_file_of_its_own_is_not_read(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	char path[4096];
	inv_log_reader *reader;

	fixture_id(id);
	assert_int_equal(inv_state_path(fixture->table, id, "log", path, sizeof(path)), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(inv_log_open(inv_table_name(fixture->table), id, &reader), -EPERM);
	assert_int_equal(unlink(path), 0);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 100000; i++)
		fputc('0' + i % 10, file);
	fputs("\n17 6 0 4 good\n", file);
	assert_int_equal(fclose(file), 0);
	struct records records = read_log(fixture, id);
	assert_int_equal(records.count, 1);
	assert_string_equal(records.last, "good");
	if (!fixture_permitted(chown(path, 12345, 12345) == 0, "a file of another user"))
		skip();
	assert_int_equal(inv_log_open(inv_table_name(fixture->table), id, &reader), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(every_level_is_read_back),
	        TABLE_TEST(any_text_comes_back_as_it_was),
	        TABLE_TEST(a_long_text_ends_at_a_whole_character),
	        TABLE_TEST(the_last_thousand_are_kept_through_rotation),
	        TABLE_TEST(a_reader_misses_none_while_files_are_rotated),
	        TABLE_TEST(short_records_are_all_there),
	        TABLE_TEST(processes_log_at_once_and_records_stay_whole),
	        TABLE_TEST(reading_stops_when_told),
	        TABLE_TEST(what_leaves_no_record_leaves_no_log),
	        TABLE_TEST(a_record_cut_short_spoils_no_other),
	        TABLE_TEST(what_finds_no_room_is_counted),
	        TABLE_TEST(a_limit_on_files_sends_the_program_no_signal),
	        TABLE_TEST(a_full_disk_is_enospc_and_counted),
	        TABLE_TEST(no_state_directory_is_an_error_and_counted),
	        TABLE_TEST(a_format_that_can_not_be_written_is_invalid),
	        TABLE_TEST(a_link_in_its_place_is_not_followed),
	        TABLE_TEST(a_record_knows_how_much_output_was_kept_before_it),
	        TABLE_TEST(a_reader_follows_rotations),
	        TABLE_TEST(a_late_record_in_the_former_file_is_read),
	        TABLE_TEST(what_is_no_file_of_its_own_is_not_read),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

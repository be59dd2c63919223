/*
 * Finding the tables of this machine, by file and by their broker's socket, and what the state
 * directory knows of tables: names, files, the copy of a hold. Other tables of the machine may be
 * there too, and only those of the test count.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "invctl-supervisor.h"
#include "os/state_directory.h"

struct search {
	const char *name;
	int by_file, by_socket;
	uint32_t uid;
};

static void note_table(const char *name, uint32_t uid, int served, void *arg)
{
	struct search *search = arg;

	if (strcmp(name, search->name) != 0)
		return;
	search->by_file += !served;
	search->by_socket += served;
	search->uid = uid;
}

static struct search find(const char *name)
{
	struct search search = {.name = name, .uid = UINT32_MAX};

	assert_int_equal(inv_tables_each(note_table, &search), 0);
	return search;
}

static void a_table_is_found_by_its_file(void **state)
{
	struct fixture *fixture = *state;
	struct search search = find(fixture->name);

	assert_int_equal(search.by_file, 1);
	assert_int_equal(search.by_socket, 0);
	assert_int_equal(search.uid, geteuid());
}

static void what_is_no_table_is_not_found(void **state)
{
	static const char bytes[] = "no table at all";
	struct fixture *fixture = *state;
	char name[64], path[128], link_path[128];

	snprintf(name, sizeof(name), "%.40s.not", fixture->name);
	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	assert_int_equal(find(name).by_file, 0);
	/* A link to a table is not the table's name. */
	unlink(path);
	fixture_path(fixture, link_path);
	assert_int_equal(symlink(link_path, path), 0);
	assert_int_equal(find(name).by_file, 0);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(find(name).by_file, 0);
	unlink(path);
}

static void one_whose_name_was_removed_is_found_by_its_broker(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table;
	char path[128];

	fixture_use_built_broker();
	assert_int_equal(inv_open(&table, NULL, INV_OPEN_AUTOSTART), 0);
	EVENTUALLY(fixture_broker(table) != 0);
	fixture_path(fixture, path);
	assert_int_equal(find(fixture->name).by_file, 1);
	assert_int_equal(unlink(path), 0);
	struct search search = find(fixture->name);
	assert_int_equal(search.by_file, 0);
	assert_int_equal(search.by_socket, 1);
	assert_int_equal(search.uid, geteuid());
	fixture_end_broker(table, SIGKILL);
	inv_close(table);
}

static void count_table(const char *name, void *arg)
{
	struct search *search = arg;

	search->by_file += strcmp(name, search->name) == 0;
}

static void tables_with_a_state_directory_are_known(void **state)
{
	struct fixture *fixture = *state;
	struct search search = {.name = fixture->name};

	state_tables_each(count_table, &search);
	assert_int_equal(search.by_file, 0);
	assert_false(state_file_exists(fixture->name, "file"));
	/* Nothing was made by the question. */
	state_tables_each(count_table, &search);
	assert_int_equal(search.by_file, 0);
	int directory = state_directory_open(fixture->name);
	assert_true(directory >= 0);
	state_tables_each(count_table, &search);
	assert_int_equal(search.by_file, 1);
	assert_false(state_file_exists(fixture->name, "file"));
	int fd = openat(directory, "file", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_true(state_file_exists(fixture->name, "file"));
	close(directory);
}

static void only_a_regular_file_of_the_user_is_opened(void **state)
{
	struct fixture *fixture = *state;
	int directory = state_directory_open(fixture->name);

	assert_true(directory >= 0);
	assert_int_equal(state_file_open(directory, "none"), -ENOENT);
	int fd = openat(directory, "file", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	fd = state_file_open(directory, "file");
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlinkat("file", directory, "link"), 0);
	assert_int_equal(state_file_open(directory, "link"), -ELOOP);
	assert_int_equal(mkfifoat(directory, "fifo", 0600), 0);
	assert_int_equal(state_file_open(directory, "fifo"), -EPERM);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(directory, "file", 12345, (gid_t)-1, 0), 0);
		assert_int_equal(state_file_open(directory, "file"), -EPERM);
	}
	close(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_table_is_found_by_its_file),
	        TABLE_TEST(what_is_no_table_is_not_found),
	        BROKER_TEST(one_whose_name_was_removed_is_found_by_its_broker),
	        NO_TABLE_TEST(tables_with_a_state_directory_are_known),
	        NO_TABLE_TEST(only_a_regular_file_of_the_user_is_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

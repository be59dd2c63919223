/*
 * Out of descriptors, of address space, of places for the guard: an error that says so, nothing
 * left behind, and nobody taken for dead by one who can't look. In a child, whose exit status is
 * the number of the first expectation that does not hold.
 */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/broker.h"
#include "invctl-supervisor.h"
#include "os/process.h"
#include "table/lease.h"

enum { READY = 0, GUARDED_MAX = 64, HUGE_CAPACITY = 300000 };

static int highest_descriptor(void)
{
	int highest = 0;
	DIR *directory = opendir("/proc/self/fd");

	for (struct dirent *entry; directory && (entry = readdir(directory));)
		if (atoi(entry->d_name) > highest && atoi(entry->d_name) != dirfd(directory))
			highest = atoi(entry->d_name);
	if (directory)
		closedir(directory);
	return highest;
}

/* So many descriptors can be had from here on, and no more. */
static void leave_descriptors(int count)
{
	struct rlimit limit;
	int last = highest_descriptor() + 1;

	for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && fd <= last;)
		;
	close(last + 1);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)(last + 1 + count);
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int live_without_descriptors(struct fixture *fixture, void *id)
{
	struct inv_run_options options = {.name = "run", .deadline_ns = INV_FOREVER};
	uint8_t own[16] = {1};
	struct inv_info info;
	inv_event *event;
	inv_invocation *invocation;
	inv_table *table;

	/* Neither without a pidfd nor without /proc is anything concluded. */
	for (int count = 1; count >= 0; count--) {
		leave_descriptors(count);
		if (inv_info_get(fixture->table, id, &info) != 0 || info.owner_pid == 0)
			return 4;
	}
	if (inv_event_create(fixture->table, own, &event) != -EMFILE || event)
		return 1;
	if (inv_run_register(fixture->table, &options, &invocation) != -EMFILE || invocation)
		return 2;
	if (inv_open(&table, fixture->name, 0) != -EMFILE || table)
		return 3;
	/* What needs none goes on. */
	if (inv_event_find(fixture->table, id, &event) != 0 || inv_event_set(event, NULL) != 0 ||
	    inv_event_is_set(event) != 1)
		return 5;
	if (inv_event_fd(event) != -EMFILE)
		return 6;
	inv_event_put(event);
	return 0;
}

static void without_descriptors_calls_say_so_and_nobody_is_dead(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, fixture_own_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]));
	fixture_assert_holds(fixture, live_without_descriptors, id);
	assert_int_equal(fixture_info(fixture, id).owner_pid, owner);
}

static int serve_with(struct fixture *fixture, void *arg)
{
	leave_descriptors(*(const int *)arg);
	if (broker_serve(fixture->table, SECOND) != -EMFILE)
		return 1;
	return table_has_broker(fixture->table) == 0 ? 0 : 2;
}

static void who_can_not_serve_gives_the_lease_back(void **state)
{
	struct fixture *fixture = *state;

	/* None for the lease; one for it, and none to see who this process is. */
	for (int count = 0; count < 2; count++) {
		fixture_assert_holds(fixture, serve_with, &count);
		assert_int_equal(broker_serve(fixture->table, SECOND), 0);
		broker_unserve(fixture->table);
	}
}

static int poll_with_one(struct fixture *fixture, void *arg)
{
	uint8_t id[16] = {1};
	struct rlimit limit;
	inv_event *event;

	(void)arg;
	if (inv_event_create(fixture->table, id, &event) != 0)
		return 1;
	/* One for the watching thread, none for the caller's. */
	leave_descriptors(1);
	if (inv_event_fd(event) != -EMFILE)
		return 2;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur++;
	setrlimit(RLIMIT_NOFILE, &limit);
	int fd = inv_event_fd(event);
	if (fd < 0)
		return 3;
	close(fd);
	inv_event_put(event);
	return 0;
}

static void an_event_fd_can_be_had_once_there_is_room(void **state)
{
	fixture_assert_holds(*state, poll_with_one, NULL);
}

static long mapped_bytes(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file && fscanf(file, "%ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static int open_without_address_space(struct fixture *fixture, void *arg)
{
	enum { ROOM = 32 << 20 };
	struct rlimit limit;
	inv_table *table;
	int before = highest_descriptor();

	(void)arg;
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = (rlim_t)mapped_bytes() + ROOM;
	setrlimit(RLIMIT_AS, &limit);
	if (inv_open(&table, fixture->name, 0) != -ENOMEM || table)
		return 1;
	return highest_descriptor() == before ? 0 : 2;
}

static void a_table_that_finds_no_room_is_not_attached(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_make_table(fixture, HUGE_CAPACITY), 0);
	inv_close(fixture->table);
	fixture->table = NULL;
	fixture_assert_holds(fixture, open_without_address_space, NULL);
}

static int guard_many(struct fixture *fixture, void *arg)
{
	inv_table *tables[GUARDED_MAX + 1];
	int count = 0, error = 0;

	(void)arg;
	while (count <= GUARDED_MAX &&
	       (error = inv_open(&tables[count], fixture->name, INV_OPEN_GUARD)) == 0)
		count++;
	if (error != -ENOSPC || tables[count])
		return 1;
	/* Without the guard there is no bound; and one that is closed makes room. */
	if (inv_open(&tables[count], fixture->name, 0) != 0)
		return 2;
	inv_close(tables[count]);
	inv_close(tables[0]);
	if (inv_open(&tables[0], fixture->name, INV_OPEN_GUARD) != 0)
		return 3;
	for (int i = 0; i < count; i++)
		inv_close(tables[i]);
	return 0;
}

static void the_guard_has_so_many_places(void **state)
{
	fixture_assert_holds(*state, guard_many, NULL);
}

static void what_is_no_descriptor_of_a_segment_is_refused(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table;
	char path[128];

	assert_int_equal(table_attach_fd(fixture->name, -1, false, false, &table), -EBADF);
	fixture_path(fixture, path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(table_attach_fd(fixture->name, fd, false, false, &table), -EBADF);
	/* It was taken over, and is closed. */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(without_descriptors_calls_say_so_and_nobody_is_dead),
	        TABLE_TEST(who_can_not_serve_gives_the_lease_back),
	        TABLE_TEST(an_event_fd_can_be_had_once_there_is_room),
	        NO_TABLE_TEST(a_table_that_finds_no_room_is_not_attached),
	        TABLE_TEST(the_guard_has_so_many_places),
	        TABLE_TEST(what_is_no_descriptor_of_a_segment_is_refused),
	};

	return cmocka_run_group_tests_name("scarce", tests, NULL, NULL);
}

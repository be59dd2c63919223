/*
 * Holes that somebody punches into a table on a file system that is full: the page can't
 * be had back, so that every access is a SIGBUS. With the guard it is an error; without it
 * the program dies, which shows that there is something to guard against.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "api/broker.h"

enum { KILLED_BY = 256, SMALL = 100 };

static bool own_small_shm(void)
{
	return fixture_own_mounts() && mount("small", "/dev/shm", "tmpfs", 0, "size=1m") == 0;
}

static bool fill_file_system(void)
{
	static const char block[4096] = {1};
	int fd = open("/dev/shm/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block))
		;
	bool full = errno == ENOSPC;
	close(fd);
	return full;
}

/* All but the header, which has been read. */
static bool punch_and_fill(const struct fixture *fixture)
{
	struct inv_table_info info;
	char path[128];

	fixture_path(fixture, path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool punched = fd >= 0 && inv_table_info_get(fixture->table, &info) == 0 &&
	               fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096,
	                         (off_t)info.bytes - 4096) == 0;
	close(fd);
	return punched && fill_file_system();
}

static int ignore_row(const struct inv_info *info, void *arg)
{
	(void)info;
	(void)arg;
	return 0;
}

/* Returns the number of the first expectation that does not hold. */
static int use_punched(struct fixture *fixture, void *arg)
{
	uint8_t id[16] = {1}, fresh[16] = {2};
	unsigned flags = *(const unsigned *)arg;
	struct inv_info info;
	inv_table *table;
	inv_event *event, *other;

	signal(SIGBUS, SIG_DFL); /* cmocka has a handler */
	if (!own_small_shm())
		return NOT_PERMITTED;
	if (fixture_make_table(fixture, SMALL) != 0 ||
	    inv_open(&table, fixture->name, flags) != 0 ||
	    inv_event_create(table, id, &event) != 0 || inv_event_check(event) != 0)
		return 1;
	if (!punch_and_fill(fixture))
		return 2;
	if (inv_event_is_set(event) != -ESTALE || inv_event_check(event) != -ESTALE)
		return 3;
	if (inv_event_set(event, "x") != -ESTALE || inv_event_wait(event, INV_FOREVER) != -ESTALE)
		return 4;
	if (inv_info_get(table, id, &info) != -ENOENT || inv_list(table, ignore_row, NULL) != 0)
		return 5;
	if (inv_event_create(table, fresh, &other) == 0)
		inv_event_put(other);
	inv_event_put(event);
	inv_close(table);
	return 0;
}

static int use_in_child(struct fixture *fixture, unsigned flags)
{
	return fixture_reap_permitted(fixture, fixture_fork(fixture, use_punched, &flags));
}

static void with_the_guard_a_hole_that_can_not_be_filled_is_stale(void **state)
{
	assert_int_equal(use_in_child(*state, INV_OPEN_GUARD), 0);
}

static void without_it_the_program_dies(void **state)
{
	assert_int_equal(use_in_child(*state, 0), KILLED_BY + SIGBUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        NO_TABLE_TEST(with_the_guard_a_hole_that_can_not_be_filled_is_stale),
	        NO_TABLE_TEST(without_it_the_program_dies),
	};

	return cmocka_run_group_tests_name("holes", tests, NULL, NULL);
}

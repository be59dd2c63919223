/*
 * The descriptor of an event: "readable while set, perhaps spuriously; for poll,
 * epoll ...; the caller closes it".
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BOUND_MS = 60000 };

static bool readable(int fd, int timeout_ms)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	return poll(&one, 1, timeout_ms) == 1 && one.revents & POLLIN;
}

static inv_event *event_of(struct fixture *fixture)
{
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	return event;
}

static void it_is_readable_while_the_event_is_set(void **state)
{
	inv_event *event = event_of(*state);
	int fd = inv_event_fd(event);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_false(readable(fd, 0));
	for (int round = 0; round < 3; round++) {
		assert_int_equal(inv_event_set(event, NULL), 0);
		assert_true(readable(fd, BOUND_MS));
		assert_int_equal(inv_event_is_set(event), 1);
		if (round % 2)
			assert_int_equal(inv_event_clear(event), 0);
		else
			assert_int_equal(inv_event_check(event), -ECANCELED);
		EVENTUALLY(!readable(fd, 0));
	}
	close(fd);
	inv_event_put(event);
}

static void what_is_set_already_is_readable_at_once(void **state)
{
	inv_event *event = event_of(*state);

	assert_int_equal(inv_event_set(event, NULL), 0);
	int fd = inv_event_fd(event);
	assert_true(readable(fd, 0));
	close(fd);
	inv_event_put(event);
}

static void closing_one_descriptor_leaves_the_other(void **state)
{
	inv_event *event = event_of(*state);
	int first = inv_event_fd(event), second = inv_event_fd(event);

	assert_true(first >= 0 && second >= 0 && first != second);
	close(first);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_true(readable(second, BOUND_MS));
	close(second);
	inv_event_put(event);
}

static void it_serves_epoll(void **state)
{
	inv_event *event = event_of(*state);
	struct epoll_event wanted = {.events = EPOLLIN}, seen;
	int fd = inv_event_fd(event), set = epoll_create1(EPOLL_CLOEXEC);

	assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted), 0);
	assert_int_equal(epoll_wait(set, &seen, 1, 0), 0);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(epoll_wait(set, &seen, 1, BOUND_MS), 1);
	close(set);
	close(fd);
	inv_event_put(event);
}

static int own_and_set(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_create(fixture->table, id, &event) != 0)
		return 1;
	atomic_store(&fixture->counters[0], 1);
	AWAIT(atomic_load(&fixture->counters[1]));
	inv_event_put(event);
	return fixture_stay();
}

static void an_end_wakes_the_poller_too(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, own_and_set, id);
	EVENTUALLY(atomic_load(&fixture->counters[0]));
	assert_int_equal(inv_event_find(fixture->table, id, &event), 0);
	int fd = inv_event_fd(event);
	assert_false(readable(fd, 0));
	atomic_store(&fixture->counters[1], 1);
	assert_true(readable(fd, BOUND_MS));
	assert_int_equal(inv_event_check(event), -ESTALE);
	close(fd);
	inv_event_put(event);
	fixture_kill(fixture, owner);
}

static void a_killed_owner_wakes_the_poller_too(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, own_and_set, id);
	EVENTUALLY(atomic_load(&fixture->counters[0]));
	assert_int_equal(inv_event_find(fixture->table, id, &event), 0);
	int fd = inv_event_fd(event);
	fixture_kill(fixture, owner);
	assert_true(readable(fd, BOUND_MS));
	assert_int_equal(inv_event_check(event), -ESTALE);
	close(fd);
	inv_event_put(event);
}

static int use_inherited(struct fixture *fixture, void *event)
{
	(void)fixture;
	return inv_event_fd(event) == -ESTALE ? 0 : 1;
}

static void a_forked_child_gets_none(void **state)
{
	struct fixture *fixture = *state;
	inv_event *event = event_of(fixture);
	int fd = inv_event_fd(event);

	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, use_inherited, event)), 0);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_true(readable(fd, BOUND_MS));
	close(fd);
	inv_event_put(event);
}

static void closing_the_table_leaves_a_descriptor_that_hangs_nobody(void **state)
{
	struct fixture *fixture = *state;
	inv_event *event = event_of(fixture);
	uint64_t count;
	int fd = inv_event_fd(event);

	inv_close(fixture->table);
	fixture->table = NULL;
	/* Nobody writes to it any more; it is the caller's to close, and does not block. */
	assert_int_equal(read(fd, &count, sizeof(count)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(inv_event_fd(event), -ESTALE);
	close(fd);
	inv_event_put(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(it_is_readable_while_the_event_is_set),
	        TABLE_TEST(what_is_set_already_is_readable_at_once),
	        TABLE_TEST(closing_one_descriptor_leaves_the_other),
	        TABLE_TEST(it_serves_epoll),
	        TABLE_TEST(an_end_wakes_the_poller_too),
	        TABLE_TEST(a_killed_owner_wakes_the_poller_too),
	        TABLE_TEST(a_forked_child_gets_none),
	        TABLE_TEST(closing_the_table_leaves_a_descriptor_that_hangs_nobody),
	};

	return cmocka_run_group_tests_name("event_fd", tests, NULL, NULL);
}

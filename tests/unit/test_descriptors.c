/*
 * A host program does with descriptors what it likes: it closes all of them, and opens
 * others in their place. It stays the owner, its calls go on, and the library neither
 * uses nor closes what is not its own.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST = 3, LAST = 64, CLOSED = 0, MAY_END = 1 };

/* Everything above the standard files becomes the same file of the host's. */
static bool put_own_files(const char *path)
{
	int own = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	for (int fd = FIRST; fd < LAST; fd++)
		if (own < 0 || (fd != own && dup3(own, fd, O_CLOEXEC) != fd))
			return false;
	return true;
}

static bool own_files_are_untouched(const char *path)
{
	struct stat own, status;

	if (stat(path, &own) != 0 || own.st_size != 0)
		return false;
	for (int fd = FIRST; fd < LAST; fd++)
		if (fstat(fd, &status) != 0 || status.st_ino != own.st_ino)
			return false;
	return true;
}

/* Returns the number of the first expectation that does not hold. */
static int use_without_descriptors(struct fixture *fixture, void *id)
{
	char path[128];
	inv_table *table;
	inv_invocation *invocation;
	inv_event *event;

	snprintf(path, sizeof(path), "%s/hosts", fixture->state_directory);
	if (inv_open(&table, fixture->name, 0) != 0 ||
	    inv_invocation_begin(table, id, NULL, &invocation) != 0 || !put_own_files(path))
		return 1;
	if (inv_check() != 0 || inv_cancel(table, id, 0, NULL) != 0 || inv_check() != -ECANCELED)
		return 2;
	/* longer than a slice, after which the lease and the name are looked at */
	if (inv_sleep(600 * MILLISECOND) != 0 ||
	    inv_event_create(table, (uint8_t *)id + 16, &event))
		return 3;
	inv_event_put(event);
	atomic_store(&fixture->counters[CLOSED], 1);
	AWAIT(atomic_load(&fixture->counters[MAY_END]));
	if (inv_invocation_end(invocation, INV_COMPLETED) != 0)
		return 4;
	inv_close(table);
	return own_files_are_untouched(path) ? 0 : 5;
}

static void an_owner_without_its_descriptors_goes_on(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[2][16];

	fixture_id(ids[0]);
	fixture_id(ids[1]);
	pid_t owner = fixture_fork(fixture, use_without_descriptors, ids);
	EVENTUALLY(atomic_load(&fixture->counters[CLOSED]));
	assert_int_equal(fixture_info(fixture, ids[0]).status, INV_RUNNING);
	atomic_store(&fixture->counters[MAY_END], 1);
	assert_int_equal(fixture_reap(fixture, owner), 0);
	assert_int_equal(fixture_info(fixture, ids[0]).status, INV_COMPLETED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(an_owner_without_its_descriptors_goes_on),
	};

	return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}

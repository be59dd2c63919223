/*
 * Making a table and attaching to one: whatever somebody plants under its name is
 * refused, and a refusal is an error and nothing else. ("a corrupt, foreign, older or
 * newer segment: a clear error"; "A segment that someone else planted is refused".)
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/broker.h"
#include "table/layout.h"

enum { MAKERS = 20, FOREIGN_UID = 54321 };

static int attach(struct fixture *fixture)
{
	inv_table *table;
	int error = inv_open(&table, fixture->name, 0);

	if (!error)
		inv_close(table);
	else
		assert_null(table);
	return error;
}

static void a_table_is_what_it_was_made_as(void **state)
{
	struct fixture *fixture = *state;
	struct broker_create create = {.name = fixture->name, .capacity = 77};
	struct inv_table_info info, again;
	inv_table *second;
	struct stat status;
	char path[128];
	bool created;

	assert_int_equal(attach(fixture), -ENOENT);
	assert_int_equal(broker_open(&create, &fixture->table, &created), 0);
	assert_true(created);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_string_equal(info.name, fixture->name);
	assert_int_equal(info.capacity, 77);
	assert_int_equal(info.live, 0);
	assert_int_equal(info.finished, 0);
	assert_int_equal(info.uid, geteuid());
	assert_int_equal(info.shared, 0);
	assert_int_equal(info.serving, 0);
	assert_int_equal(info.broker_pid, 0);
	assert_int_equal(info.unlinked, 0);
	assert_true(info.epoch != 0);
	fixture_path(fixture, path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_size, info.bytes);

	/* A second maker attaches to the one there is, whatever it would have made. */
	create.capacity = 5;
	assert_int_equal(broker_open(&create, &second, &created), 0);
	assert_false(created);
	assert_int_equal(inv_table_info_get(second, &again), 0);
	assert_int_equal(again.epoch, info.epoch);
	assert_int_equal(again.capacity, 77);
	inv_close(second);
}

static void the_default_capacity_is_16384(void **state)
{
	struct fixture *fixture = *state;
	struct inv_table_info info;

	assert_int_equal(fixture_make_table(fixture, 0), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.capacity, 16384);
}

static void capacities_out_of_range_make_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_make_table(fixture, CAPACITY_MAX + 1), -EINVAL);
	assert_int_equal(fixture_make_table(fixture, UINT32_MAX), -EINVAL);
	assert_int_equal(attach(fixture), -ENOENT);
}

static void bad_names_and_flags_are_invalid(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "/a", "a b", "ä", "a\n", "a*"};
	char longest[INV_TABLE_NAME_BYTES + 1];
	inv_table *table;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(inv_open(&table, bad[i], 0), -EINVAL);
		assert_null(table);
		struct broker_create create = {.name = bad[i]};
		bool created;
		assert_int_equal(broker_open(&create, &table, &created), -EINVAL);
	}
	memset(longest, 'x', sizeof(longest));
	longest[INV_TABLE_NAME_BYTES] = '\0';
	assert_int_equal(inv_open(&table, longest, 0), -EINVAL);
	longest[INV_TABLE_NAME_BYTES - 1] = '\0';
	assert_int_equal(inv_open(&table, longest, 0), -ENOENT);
	assert_int_equal(inv_open(&table, "A-z.0_9", 0), -ENOENT);
	assert_int_equal(inv_open(&table, "A-z.0_9", 0x100), -EINVAL);
	setenv("INVCTL_TABLE", "no/name", 1);
	assert_int_equal(inv_open(&table, NULL, 0), -EINVAL);
	assert_string_equal(inv_table_name(NULL), "");
}

/* One field of the header, and what a wrong value in it must come to. */
#define FIELD(member, wrong, expected)                                                             \
	{                                                                                          \
#member, offsetof(struct header, member), sizeof(((struct header *)0)->member),    \
		        (wrong), (expected)                                                        \
	}

static void a_wrong_header_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *name;
		size_t offset, size;
		uint64_t wrong;
		int error;
	} fields[] = {
	        FIELD(magic, 0, -EBADMSG),
	        FIELD(magic, LAYOUT_MAGIC + 1, -EBADMSG),
	        FIELD(version, LAYOUT_VERSION - 1, -EPROTO),
	        FIELD(version, LAYOUT_VERSION + 1, -EPROTO),
	        FIELD(fingerprint, LAYOUT_FINGERPRINT ^ 1, -EPROTO),
	        FIELD(capacity, 0, -EBADMSG),
	        FIELD(capacity, 1, -EBADMSG),
	        FIELD(capacity, CAPACITY_MAX, -EBADMSG),
	        FIELD(capacity, CAPACITY_MAX + 1, -EBADMSG),
	        FIELD(capacity, UINT32_MAX, -EBADMSG),
	        FIELD(capacity, UINT32_C(1) << 31, -EBADMSG),
	        FIELD(bytes, 0, -EBADMSG),
	        FIELD(bytes, 4096, -EBADMSG),
	        FIELD(bytes, UINT64_MAX, -EBADMSG),
	        FIELD(buckets, 0, -EBADMSG),
	        FIELD(buckets, UINT32_MAX, -EBADMSG),
	        FIELD(width, 0, -EBADMSG),
	        FIELD(width, UINT32_MAX, -EBADMSG),
	        FIELD(slots, 0, -EBADMSG),
	        FIELD(slots, UINT32_MAX, -EBADMSG),
	        FIELD(owners, 0, -EBADMSG),
	        FIELD(owners, UINT32_MAX, -EBADMSG),
	        FIELD(epoch, 0, -EBADMSG),
	        FIELD(uid, FOREIGN_UID, -EBADMSG),
	        FIELD(shared, 1, -EBADMSG),
	        FIELD(shared, 2, -EBADMSG),
	};
	char path[128];

	assert_int_equal(fixture_make_table(fixture, 1000), 0);
	assert_int_equal(attach(fixture), 0);
	fixture_path(fixture, path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t right = 0;
		off_t offset = (off_t)fields[i].offset;
		assert_int_equal(pread(fd, &right, fields[i].size, offset), fields[i].size);
		assert_int_equal(pwrite(fd, &fields[i].wrong, fields[i].size, offset),
		                 fields[i].size);
		int error = attach(fixture);
		if (error != fields[i].error)
			fail_msg("%s = %#llx: %d instead of %d", fields[i].name,
			         (unsigned long long)fields[i].wrong, error, fields[i].error);
		assert_int_equal(pwrite(fd, &right, fields[i].size, offset), fields[i].size);
		assert_int_equal(attach(fixture), 0);
	}
	close(fd);
}

static void a_wrong_size_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct inv_table_info info;
	char path[128];

	assert_int_equal(fixture_make_table(fixture, 1000), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	inv_close(fixture->table);
	fixture->table = NULL;
	off_t right = (off_t)info.bytes;
	const off_t wrong[] = {0,         1,         100,          4095,      4096,
	                       right / 2, right - 1, right - 4096, right + 1, right + 4096};
	fixture_path(fixture, path);
	for (size_t i = sizeof(wrong) / sizeof(wrong[0]); i-- > 0;) {
		assert_int_equal(truncate(path, wrong[i]), 0);
		assert_int_equal(attach(fixture), -EBADMSG);
	}
}

/* What else may stand under the name; each returns 0, or -errno where it can't be made. */
static int plant_fifo(const char *path)
{
	return mkfifo(path, 0600);
}

static int plant_directory(const char *path)
{
	return mkdir(path, 0700);
}

static int plant_link(const char *path)
{
	return symlink("/dev/zero", path);
}

static int plant_dangling_link(const char *path)
{
	return symlink("/nowhere/at/all", path);
}

static int plant_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int result = bind(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return result;
}

static int plant_empty_file(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

static void what_is_no_table_file_is_foreign(void **state)
{
	struct fixture *fixture = *state;
	int (*const plants[])(const char *) = {plant_fifo,   plant_directory,
	                                       plant_link,   plant_dangling_link,
	                                       plant_socket, plant_empty_file};
	char path[128];
	bool created;
	struct broker_create create = {.name = fixture->name};

	fixture_path(fixture, path);
	for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
		assert_int_equal(plants[i](path), 0);
		assert_int_equal(attach(fixture), -EBADMSG);
		/* Nor does a maker replace it. */
		assert_int_equal(broker_open(&create, &fixture->table, &created), -EBADMSG);
		fixture->table = NULL;
		assert_int_equal(remove(path), 0);
	}
}

static void a_mode_wider_than_promised_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const mode_t modes[] = {0666, 0644, 0640, 0606, 0700, 0400, 0602, 04600, 01600};
	char path[128];

	assert_int_equal(fixture_make_table(fixture, 10), 0);
	fixture_path(fixture, path);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(attach(fixture),
		                 geteuid() == 0 || modes[i] != 0400 ? -EPERM : -EACCES);
	}
	/* that of a shared one, which this is not */
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(attach(fixture), -EBADMSG);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(attach(fixture), 0);
}

static void a_second_name_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char path[128], second[160];

	assert_int_equal(fixture_make_table(fixture, 10), 0);
	fixture_path(fixture, path);
	snprintf(second, sizeof(second), "%s-second", path);
	assert_int_equal(link(path, second), 0);
	int error = attach(fixture);
	assert_int_equal(unlink(second), 0);
	assert_int_equal(error, -EPERM);
	assert_int_equal(attach(fixture), 0);
}

static void another_users_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	fixture_need_root();
	assert_int_equal(fixture_make_table(fixture, 10), 0);
	fixture_path(fixture, path);
	assert_int_equal(chown(path, FOREIGN_UID, (gid_t)-1), 0);
	/* Root opens anybody's, but this one says that it is root's. */
	assert_int_equal(attach(fixture), -EBADMSG);
	/* It does not become mine by saying so in its header. */
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(attach(fixture), -EBADMSG);
}

static int attach_as_stranger(struct fixture *fixture, void *arg)
{
	inv_table *table;

	(void)arg;
	if (setresuid(FOREIGN_UID, FOREIGN_UID, FOREIGN_UID) != 0)
		return 1;
	return inv_open(&table, fixture->name, 0) == -EACCES ? 0 : 2;
}

static void a_stranger_has_no_access(void **state)
{
	struct fixture *fixture = *state;

	fixture_need_root();
	assert_int_equal(fixture_make_table(fixture, 10), 0);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, attach_as_stranger, NULL)), 0);
}

struct stranger {
	uid_t uid;
	gid_t gid;
	const char *table;
};

static int attach_as_member(struct fixture *fixture, void *arg)
{
	const struct stranger *stranger = arg;
	inv_table *table;

	(void)fixture;
	if (setresgid(stranger->gid, stranger->gid, stranger->gid) != 0 ||
	    setresuid(stranger->uid, stranger->uid, stranger->uid) != 0)
		return 255;
	return -inv_open(&table, stranger->table, 0);
}

static void a_shared_one_is_for_its_group(void **state)
{
	struct fixture *fixture = *state;
	struct broker_create create = {
	        .name = fixture->name, .capacity = 10, .shared = true, .gid = FOREIGN_UID};
	struct stranger member = {FOREIGN_UID, FOREIGN_UID, fixture->name};
	struct inv_table_info info;
	bool created;

	fixture_need_root();
	assert_int_equal(broker_open(&create, &fixture->table, &created), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.shared, 1);
	assert_int_equal(info.gid, FOREIGN_UID);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, attach_as_member, &member)),
	                 0);
	member.gid = FOREIGN_UID + 1;
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, attach_as_member, &member)),
	                 EACCES);
}

/* Makes the table, as its owner, with an invocation in it; and stays. */
static int plant_a_table(struct fixture *fixture, void *arg)
{
	const struct stranger *planter = arg;
	struct broker_create create = {.name = fixture->name,
	                               .capacity = 10,
	                               .shared = planter->gid != 0,
	                               .gid = planter->gid};
	uint8_t id[16] = {1};
	inv_event *event;
	bool created;

	if (setresgid(FOREIGN_UID, FOREIGN_UID, FOREIGN_UID) != 0 ||
	    setresuid(planter->uid, planter->uid, planter->uid) != 0 ||
	    broker_open(&create, &fixture->table, &created) != 0 || !created ||
	    inv_event_create(fixture->table, id, &event) != 0)
		return 1;
	atomic_store(&fixture->counters[0], 1);
	EVENTUALLY(inv_event_is_set(event) == 1);
	atomic_store(&fixture->counters[0], 2);
	return fixture_stay();
}

/* /etc/invctl/table names the table, and is that user's. */
static bool system_names(const char *table, uid_t owner)
{
	if (!fixture_own_mounts() || mount("etc", "/etc", "tmpfs", 0, NULL) != 0 ||
	    mkdir("/etc/invctl", 0755) != 0)
		return false;
	FILE *file = fopen("/etc/invctl/table", "we");
	return file && fprintf(file, "%s\n", table) > 0 && fclose(file) == 0 &&
	       chown("/etc/invctl/table", owner, 0) == 0;
}

static int register_where_named(struct fixture *fixture, void *arg)
{
	const struct stranger *namer = arg;
	uint8_t id[16] = {2};
	inv_event *event;
	inv_table *table;

	if (!system_names(fixture->name, namer->uid))
		return NOT_PERMITTED;
	if (inv_open(&table, fixture->name, 0) != 0)
		return 1;
	return inv_event_create(table, id, &event) == (namer->uid == 0 ? 0 : -EACCES) ? 0 : 2;
}

static void root_sees_a_planted_table_and_registers_nothing(void **state)
{
	struct fixture *fixture = *state;
	static const gid_t groups[] = {0, FOREIGN_UID};
	const uint8_t planted[16] = {1}, own[16] = {2};
	struct stranger namer = {.uid = 0}, member = {FOREIGN_UID + 1, FOREIGN_UID, fixture->name};
	struct broker_create create = {.name = fixture->name};
	char path[128];
	inv_event *event;
	bool created;

	fixture_need_root();
	fixture_path(fixture, path);
	for (size_t i = 0; i < 2; i++) {
		struct stranger planter = {.uid = FOREIGN_UID, .gid = groups[i]};
		atomic_store(&fixture->counters[0], 0);
		pid_t child = fixture_fork(fixture, plant_a_table, &planter);
		EVENTUALLY(atomic_load(&fixture->counters[0]) == 1);
		assert_int_equal(inv_open(&fixture->table, fixture->name, 0), 0);
		assert_int_equal(fixture_live(fixture), 1);
		assert_int_equal(inv_event_create(fixture->table, own, &event), -EACCES);
		assert_int_equal(fixture_live(fixture), 1);
		assert_int_equal(broker_open(&create, &fixture->table, &created), -EPERM);
		assert_int_equal(inv_open(&fixture->table, fixture->name, 0), 0);
		assert_int_equal(inv_cancel(fixture->table, planted, 0, NULL), 0);
		EVENTUALLY(atomic_load(&fixture->counters[0]) == 2);
		fixture_assert_holds(fixture, register_where_named, &namer);
		/* One of its group is meant, root or not. */
		if (groups[i] != 0)
			assert_int_equal(
			        fixture_reap(fixture,
			                     fixture_fork(fixture, attach_as_member, &member)),
			        0);
		fixture_kill(fixture, child);
		inv_close(fixture->table);
		fixture->table = NULL;
		assert_int_equal(remove(path), 0);
	}
}

static void a_name_in_a_file_of_another_user_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct stranger namer = {.uid = FOREIGN_UID},
	                planter = {.uid = FOREIGN_UID, .gid = FOREIGN_UID};

	fixture_need_root();
	fixture_fork(fixture, plant_a_table, &planter);
	EVENTUALLY(atomic_load(&fixture->counters[0]) == 1);
	fixture_assert_holds(fixture, register_where_named, &namer);
}

/* Another user's segment, shared with a common group, under a user's private name. */
static void a_shared_one_under_my_private_name_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uid_t uid = 1000000 + (uid_t)getpid();
	struct stranger stranger = {uid, FOREIGN_UID, fixture->name};
	struct stranger planter = {.uid = FOREIGN_UID, .gid = FOREIGN_UID};

	fixture_need_root();
	snprintf(fixture->name, sizeof(fixture->name), "invctl-%u", (unsigned)uid);
	fixture_fork(fixture, plant_a_table, &planter);
	EVENTUALLY(atomic_load(&fixture->counters[0]) == 1);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, attach_as_member, &stranger)),
	                 EPERM);
}

enum { READY, GO, CREATED, ATTACHED };

static int make_at_once(struct fixture *fixture, void *arg)
{
	struct broker_create create = {.name = fixture->name, .capacity = 100};
	bool created;

	(void)arg;
	atomic_fetch_add(&fixture->counters[READY], 1);
	AWAIT(atomic_load(&fixture->counters[GO]));
	if (broker_open(&create, &fixture->table, &created) != 0)
		return 1;
	atomic_fetch_add(&fixture->counters[created ? CREATED : ATTACHED], 1);
	return 0;
}

static void of_twenty_makers_one_makes_it(void **state)
{
	struct fixture *fixture = *state;
	pid_t makers[MAKERS];

	for (int i = 0; i < MAKERS; i++)
		makers[i] = fixture_fork(fixture, make_at_once, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == MAKERS);
	atomic_store(&fixture->counters[GO], 1);
	for (int i = 0; i < MAKERS; i++)
		assert_int_equal(fixture_reap(fixture, makers[i]), 0);
	assert_int_equal(atomic_load(&fixture->counters[CREATED]), 1);
	assert_int_equal(atomic_load(&fixture->counters[ATTACHED]), MAKERS - 1);
}

/* With a /dev/shm of its own that is too small: nothing is left there. */
static int make_on_full_tmpfs(struct fixture *fixture, void *arg)
{
	char path[128];

	(void)arg;
	if (!fixture_own_mounts() || mount("full", "/dev/shm", "tmpfs", 0, "size=256k") != 0)
		return NOT_PERMITTED;
	fixture_path(fixture, path);
	if (fixture_make_table(fixture, 0) != -ENOSPC)
		return 1;
	if (access(path, F_OK) == 0)
		return 2;
	/* What fits is made, so nothing was left without a name either. */
	return fixture_make_table(fixture, 100) == 0 ? 0 : 3;
}

static void a_full_file_system_is_enospc_and_leaves_nothing(void **state)
{
	fixture_assert_holds(*state, make_on_full_tmpfs, NULL);
}

static void what_changes_in_the_header_afterwards_moves_nothing(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;
	char path[128];

	assert_int_equal(fixture_make_table(fixture, 1000), 0);
	fixture_path(fixture, path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char junk[sizeof(struct header)];
	memset(junk, 0xff, sizeof(junk));
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 0), sizeof(junk));
	close(fd);
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_event_check(event), -ECANCELED);
	inv_event_put(event);
	assert_int_equal(attach(fixture), -EBADMSG);
}

static void attaching_installs_no_signal_handler(void **state)
{
	struct fixture *fixture = *state;
	struct sigaction before, after;

	assert_int_equal(fixture_make_table(fixture, 10), 0);
	for (int signum = 1; signum < 32; signum++) {
		if (sigaction(signum, NULL, &before) != 0)
			continue;
		assert_int_equal(attach(fixture), 0);
		assert_int_equal(sigaction(signum, NULL, &after), 0);
		assert_true(before.sa_handler == after.sa_handler);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        NO_TABLE_TEST(a_table_is_what_it_was_made_as),
	        NO_TABLE_TEST(the_default_capacity_is_16384),
	        NO_TABLE_TEST(capacities_out_of_range_make_nothing),
	        NO_TABLE_TEST(bad_names_and_flags_are_invalid),
	        NO_TABLE_TEST(a_wrong_header_is_refused),
	        NO_TABLE_TEST(a_wrong_size_is_refused),
	        NO_TABLE_TEST(what_is_no_table_file_is_foreign),
	        NO_TABLE_TEST(a_mode_wider_than_promised_is_refused),
	        NO_TABLE_TEST(a_second_name_is_refused),
	        NO_TABLE_TEST(another_users_is_refused),
	        NO_TABLE_TEST(a_stranger_has_no_access),
	        NO_TABLE_TEST(a_shared_one_is_for_its_group),
	        NO_TABLE_TEST(a_shared_one_under_my_private_name_is_refused),
	        NO_TABLE_TEST(root_sees_a_planted_table_and_registers_nothing),
	        NO_TABLE_TEST(a_name_in_a_file_of_another_user_does_not_count),
	        NO_TABLE_TEST(of_twenty_makers_one_makes_it),
	        NO_TABLE_TEST(a_full_file_system_is_enospc_and_leaves_nothing),
	        NO_TABLE_TEST(what_changes_in_the_header_afterwards_moves_nothing),
	        NO_TABLE_TEST(attaching_installs_no_signal_handler),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}

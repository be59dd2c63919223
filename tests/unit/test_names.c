/*
 * Where things are without being told: the default table's name (INVCTL_TABLE, else the name in
 * /etc/invctl/table, else invctl-UID) and the state directory (INVCTL_STATE_DIR, else
 * $XDG_STATE_HOME/invctl, else ~/.local/state/invctl), in which no file is made by another user's
 * link.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/broker.h"

enum { UID_BASE = 1000000 };

/* With a file of one's own in /etc/invctl; text NULL: none. */
static bool system_table_says(const char *text)
{
	if (!text)
		return unlink("/etc/invctl/table") == 0;
	int fd = open("/etc/invctl/table", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

static bool have_own_etc(void)
{
	return fixture_own_mounts() && mount("etc", "/etc", "tmpfs", 0, NULL) == 0 &&
	       mkdir("/etc/invctl", 0755) == 0;
}

static int ask_default_name(struct fixture *fixture, void *arg)
{
	char name[INV_TABLE_NAME_BYTES], own[INV_TABLE_NAME_BYTES], longest[80];
	static const char *const bad[] = {"a/b\n", "..\n", "\xc3\xa4\n"};
	uint8_t id[16] = {1};
	inv_event *event;

	(void)arg;
	if (inv_default_table_name(name) != 0 || strcmp(name, fixture->name) != 0)
		return 1;
	if (!have_own_etc())
		return NOT_PERMITTED;
	snprintf(own, sizeof(own), "invctl-%u", (unsigned)geteuid());
	setenv("INVCTL_TABLE", "", 1);
	if (inv_default_table_name(name) != 0 || strcmp(name, own) != 0)
		return 2;
	if (!system_table_says("lab-2 \nno comment\n") || inv_default_table_name(name) != 0 ||
	    strcmp(name, "lab-2") != 0)
		return 3;
	if (!system_table_says("") || inv_default_table_name(name) != 0 || strcmp(name, own) != 0)
		return 4;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!system_table_says(bad[i]) || inv_default_table_name(name) != -EINVAL ||
		    inv_event_create(NULL, id, &event) != -EINVAL)
			return 5;
	/* One that is too long is not cut to another's name. */
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	if (!system_table_says(longest) || inv_default_table_name(name) != -EINVAL)
		return 6;
	setenv("INVCTL_TABLE", "mine", 1);
	return inv_default_table_name(name) == 0 && strcmp(name, "mine") == 0 ? 0 : 7;
}

static void the_environment_goes_before_the_file_and_that_before_the_uid(void **state)
{
	fixture_assert_holds(*state, ask_default_name, NULL);
}

static int use_own_default(struct fixture *fixture, void *arg)
{
	char name[INV_TABLE_NAME_BYTES], path[128];
	struct broker_create create = {.name = name, .capacity = 10};
	uid_t uid = (uid_t)(UID_BASE + getpid());
	uint8_t id[16] = {1};
	inv_event *event;
	bool created;

	(void)arg;
	if (access("/etc/invctl/table", F_OK) == 0 || seteuid(uid) != 0)
		return NOT_PERMITTED;
	unsetenv("INVCTL_TABLE");
	snprintf(name, sizeof(name), "invctl-%u", (unsigned)uid);
	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	if (inv_event_create(NULL, id, &event) != -ENOENT)
		return 1;
	if (broker_open(&create, &fixture->table, &created) != 0 || !created)
		return 2;
	int error = inv_event_create(NULL, id, &event);
	bool named = strcmp(inv_table_name(NULL), name) == 0;
	unlink(path);
	return error == 0 && named ? 0 : 3;
}

static void a_null_table_is_the_users_own(void **state)
{
	fixture_assert_holds(*state, use_own_default, NULL);
}

static void a_null_table_is_the_one_that_was_set(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event, *same;

	inv_default_table_set(fixture->table);
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_find(NULL, id, &same), 0);
	/* Not merely the same segment, attached once more. */
	assert_ptr_equal(event, same);
	inv_event_put(same);
	inv_event_put(event);
	fixture->table = NULL; /* kept for good */
}

/* The path of a file of the state directory, or the error. */
static int state_file(struct fixture *fixture, char path[4096], size_t size)
{
	static const uint8_t id[16] = {0xab};

	return inv_state_path(fixture->table, id, "log", path, size);
}

static bool ends_in(const struct fixture *fixture, const char *path, const char *middle)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "%s%s/%s/ab000000-0000-0000-0000-000000000000.log",
	         fixture->state_directory, middle, fixture->name);
	return strcmp(path, wanted) == 0;
}

static int ask_state_path(struct fixture *fixture, void *arg)
{
	char path[4096], below[128], deep[4096];
	struct stat status;

	(void)arg;
	if (state_file(fixture, path, sizeof(path)) != 0 || !ends_in(fixture, path, ""))
		return 1;
	unsetenv("INVCTL_STATE_DIR");
	setenv("XDG_STATE_HOME", "relative", 1); /* such a one counts for nothing */
	snprintf(below, sizeof(below), "%s/home", fixture->state_directory);
	setenv("HOME", below, 1);
	if (state_file(fixture, path, sizeof(path)) != 0 ||
	    !ends_in(fixture, path, "/home/.local/state/invctl"))
		return 2;
	/* All of it was made, and for its user alone. */
	*strrchr(path, '/') = '\0';
	if (stat(path, &status) != 0 || (status.st_mode & 07777) != 0700)
		return 3;
	snprintf(below, sizeof(below), "%s/xdg", fixture->state_directory);
	setenv("XDG_STATE_HOME", below, 1);
	if (state_file(fixture, path, sizeof(path)) != 0 || !ends_in(fixture, path, "/xdg/invctl"))
		return 4;
	for (size_t size = strlen(path); size > 0; size--)
		if (state_file(fixture, path, size) != -ENAMETOOLONG)
			return 5;
	unsetenv("XDG_STATE_HOME");
	memset(deep, 'x', sizeof(deep) - 1);
	deep[0] = '/';
	deep[sizeof(deep) - 1] = '\0';
	setenv("HOME", deep, 1);
	return state_file(fixture, path, sizeof(path)) == -ENAMETOOLONG ? 0 : 6;
}

static void the_state_directory_is_found_and_made(void **state)
{
	fixture_assert_holds(*state, ask_state_path, NULL);
}

static int ask_without_a_home(struct fixture *fixture, void *arg)
{
	char path[4096], below[128];

	(void)arg;
	if (!have_own_etc())
		return NOT_PERMITTED;
	unsetenv("INVCTL_STATE_DIR");
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	if (state_file(fixture, path, sizeof(path)) != -ENOTDIR)
		return 1;
	FILE *passwd = fopen("/etc/passwd", "we");
	if (!passwd)
		return 2;
	fprintf(passwd, "other:x:%u:0::/nowhere:/bin/sh\n", (unsigned)geteuid() + 1);
	fprintf(passwd, "self:x:%u:0::%s/passwd:/bin/sh\n", (unsigned)geteuid(),
	        fixture->state_directory);
	fclose(passwd);
	if (state_file(fixture, path, sizeof(path)) != 0 ||
	    !ends_in(fixture, path, "/passwd/.local/state/invctl"))
		return 3;
	snprintf(below, sizeof(below), "%s/below", fixture->state_directory);
	if (mkdir(below, 0700) != 0 || chdir(below) != 0)
		return 4;
	/* A relative one would be another one after a chdir. */
	setenv("INVCTL_STATE_DIR", "state", 1);
	return state_file(fixture, path, sizeof(path)) == -ENOTDIR && access("state", F_OK) != 0
	               ? 0
	               : 5;
}

static void without_HOME_it_is_in_the_home_of_etc_passwd(void **state)
{
	fixture_assert_holds(*state, ask_without_a_home, NULL);
}

/* A link at PLACE to "target" beside it, of a user's. */
static bool have_link(const char *place, uid_t uid)
{
	unlink(place);
	return symlink("target", place) == 0 && lchown(place, uid, uid) == 0;
}

static int ask_across_links(struct fixture *fixture, void *arg)
{
	char path[4096], link[192], target[192], state[256];
	const char *place = arg;
	struct stat status;

	snprintf(target, sizeof(target), "%s/target", fixture->state_directory);
	snprintf(link, sizeof(link), "%s/%s", fixture->state_directory,
	         *place ? place : fixture->name);
	snprintf(state, sizeof(state), "%s/%s", fixture->state_directory, place);
	setenv("INVCTL_STATE_DIR", state, 1);
	if (mkdir(target, 0700) != 0)
		return 1;
	if (!have_link(link, UID_BASE))
		return NOT_PERMITTED;
	if (state_file(fixture, path, sizeof(path)) != -EPERM)
		return 2;
	/* Nothing was made there: it has no directory in it. */
	if (stat(target, &status) != 0 || status.st_nlink != 2)
		return 3;
	if (!have_link(link, geteuid()) || state_file(fixture, path, sizeof(path)) != 0)
		return 4;
	/* A link to itself. */
	unlink(link);
	if (symlink(strrchr(link, '/') + 1, link) != 0)
		return 5;
	return state_file(fixture, path, sizeof(path)) == -ELOOP ? 0 : 6;
}

static void only_links_of_root_and_the_caller_are_followed_to_it(void **state)
{
	fixture_need_root();
	fixture_assert_holds(*state, ask_across_links, "link");
}

static void nor_is_the_tables_directory_anothers_link(void **state)
{
	fixture_need_root();
	fixture_assert_holds(*state, ask_across_links, "");
}

static int ask_below_a_file(struct fixture *fixture, void *arg)
{
	char path[4096], file[128], below[256];

	(void)arg;
	snprintf(file, sizeof(file), "%s/file", fixture->state_directory);
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return 1;
	close(fd);
	snprintf(below, sizeof(below), "%s/state", file);
	setenv("INVCTL_STATE_DIR", below, 1);
	if (state_file(fixture, path, sizeof(path)) != -ENOTDIR)
		return 2;
	/* Where one on the way can't be made. */
	setenv("INVCTL_STATE_DIR", "/proc/invctl/a/b", 1);
	return state_file(fixture, path, sizeof(path)) == -ENOENT ? 0 : 3;
}

static void one_that_can_not_be_made_is_an_error(void **state)
{
	fixture_assert_holds(*state, ask_below_a_file, NULL);
}

static void a_bad_name_has_no_socket(void **state)
{
	struct sockaddr_un address;

	(void)state;
	assert_int_equal(broker_socket_address("a/b", 0, &address), -EINVAL);
	assert_true(broker_socket_address("a", 0, &address) > 0);
	assert_int_equal(address.sun_path[0], '\0');
	assert_string_equal(address.sun_path + 1, "invctl/0/a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        NO_TABLE_TEST(the_environment_goes_before_the_file_and_that_before_the_uid),
	        NO_TABLE_TEST(a_null_table_is_the_users_own),
	        TABLE_TEST(a_null_table_is_the_one_that_was_set),
	        TABLE_TEST(the_state_directory_is_found_and_made),
	        TABLE_TEST(without_HOME_it_is_in_the_home_of_etc_passwd),
	        TABLE_TEST(only_links_of_root_and_the_caller_are_followed_to_it),
	        TABLE_TEST(nor_is_the_tables_directory_anothers_link),
	        TABLE_TEST(one_that_can_not_be_made_is_an_error),
	        NO_TABLE_TEST(a_bad_name_has_no_socket),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}

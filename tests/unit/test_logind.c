/* Whether systemd-logind will remove a user's tables at logout: told from its files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/logind.h"

enum { USER = 1000, SYSTEM_USER = 998 };

static char root[] = "/tmp/test-logind-XXXXXX";

static const char *const directories[] = {
        "/etc",
        "/etc/systemd",
        "/etc/systemd/logind.conf.d",
        "/run",
        "/run/systemd",
        "/run/systemd/users",
        "/var",
        "/var/lib",
        "/var/lib/systemd",
        "/var/lib/systemd/linger",
};

static const char *const files[] = {
        "/run/systemd/users/1000",
        "/run/systemd/users/998",
        "/etc/systemd/logind.conf",
        "/etc/systemd/logind.conf.d/10-lab.conf",
        "/etc/systemd/logind.conf.d/20-lab.conf",
        "/var/lib/systemd/linger/ada",
};

enum {
	DIRECTORIES = sizeof(directories) / sizeof(directories[0]),
	FILES = sizeof(files) / sizeof(files[0])
};

static void under_root(const char *name, char path[256])
{
	snprintf(path, 256, "%s%s", root, name);
}

static void write_text(const char *name, const char *text)
{
	char path[256];

	under_root(name, path);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_root(void **state)
{
	char path[256];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	for (int i = 0; i < DIRECTORIES; i++) {
		under_root(directories[i], path);
		if (mkdir(path, 0700) != 0)
			return -1;
	}
	return 0;
}

static int remove_files(void **state)
{
	char path[256];

	(void)state;
	for (int i = 0; i < FILES; i++) {
		under_root(files[i], path);
		unlink(path);
	}
	return 0;
}

static int remove_root(void **state)
{
	char path[256];

	(void)state;
	for (int i = DIRECTORIES; i-- > 0;) {
		under_root(directories[i], path);
		rmdir(path);
	}
	return rmdir(root);
}

static void without_logind_it_does_not(void **state)
{
	(void)state;
	assert_false(logind_removes_shm_under(root, USER));
}

static void by_default_it_does_for_normal_users(void **state)
{
	(void)state;
	write_text("/run/systemd/users/1000", "NAME=ada\n");
	write_text("/run/systemd/users/998", "NAME=daemon\n");
	assert_true(logind_removes_shm_under(root, USER));
	assert_false(logind_removes_shm_under(root, SYSTEM_USER));
	assert_false(logind_removes_shm_under(root, 0));
}

static void a_setting_prevents_it(void **state)
{
	(void)state;
	write_text("/run/systemd/users/1000", "NAME=ada\n");
	write_text("/etc/systemd/logind.conf", "[Login]\n#RemoveIPC=yes\nRemoveIPC = no\n");
	assert_false(logind_removes_shm_under(root, USER));
	write_text("/etc/systemd/logind.conf", "[Login]\n#RemoveIPC=no\n");
	assert_true(logind_removes_shm_under(root, USER));
}

static void a_later_drop_in_wins(void **state)
{
	(void)state;
	write_text("/run/systemd/users/1000", "NAME=ada\n");
	write_text("/etc/systemd/logind.conf", "[Login]\nRemoveIPC=yes\n");
	write_text("/etc/systemd/logind.conf.d/10-lab.conf", "[Login]\nRemoveIPC=false\n");
	assert_false(logind_removes_shm_under(root, USER));
	write_text("/etc/systemd/logind.conf.d/20-lab.conf", "[Login]\nRemoveIPC=yes\n");
	assert_true(logind_removes_shm_under(root, USER));
}

static void lingering_prevents_it(void **state)
{
	(void)state;
	write_text("/run/systemd/users/1000", "# This is private data.\nNAME=ada\nSTATE=active\n");
	write_text("/var/lib/systemd/linger/ada", "");
	assert_false(logind_removes_shm_under(root, USER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(without_logind_it_does_not, remove_files),
	        cmocka_unit_test_teardown(by_default_it_does_for_normal_users, remove_files),
	        cmocka_unit_test_teardown(a_setting_prevents_it, remove_files),
	        cmocka_unit_test_teardown(a_later_drop_in_wins, remove_files),
	        cmocka_unit_test_teardown(lingering_prevents_it, remove_files),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}

/*
 * A newcomer to a table that has lost its name asks the brokers of other users too, and believes
 * none of them more than the kernel bears out. The broker is a child that has become
 * another user and hands over what the test tells it to.
 */
#include "table/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/broker.h"
#include "fixture.h"

enum { READY = 0, SERVER_UID = 54321, CALLER_UID = 54322 };

struct scene {
	bool silent;   /* ends the connection without a word */
	bool alone;    /* answers without a descriptor */
	uid_t claimed; /* the user in the socket's name */
	uid_t owner;   /* of what is handed over */
	uid_t caller;
	int error; /* what must come of it */
};

static int send_descriptor(int connection, int fd)
{
	char line[] = "table\n";
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	struct iovec data = {.iov_base = line, .iov_len = sizeof(line)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(connection, &message, 0) < 0;
}

static int listen_as(struct fixture *fixture, uid_t claimed)
{
	struct sockaddr_un address;
	int length = broker_socket_address(fixture->name, claimed, &address);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, (socklen_t)length) != 0 ||
	    listen(listener, 5) != 0)
		return -1;
	return listener;
}

static int serve(struct fixture *fixture, void *arg)
{
	const struct scene *scene = arg;
	char path[128];

	snprintf(path, sizeof(path), "%s/handed-over", fixture->state_directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (fd < 0 || fchown(fd, scene->owner, scene->owner) != 0 || setegid(SERVER_UID) != 0 ||
	    seteuid(SERVER_UID) != 0)
		return 1;
	int listener = listen_as(fixture, scene->claimed);
	if (listener < 0)
		return 2;
	atomic_store(&fixture->counters[READY], 1);
	for (;;) {
		int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (connection < 0)
			return 3;
		if (!scene->silent)
			send_descriptor(connection, scene->alone ? -1 : fd);
		close(connection);
	}
}

/* 0 where what comes is as the scene says. */
static int ask(struct fixture *fixture, void *arg)
{
	const struct scene *scene = arg;

	if (scene->caller != 0 && (setegid(scene->caller) != 0 || seteuid(scene->caller) != 0))
		return NOT_PERMITTED;
	int fd = handover_receive(fixture->name);
	if (scene->error)
		return fd != scene->error;
	return fd < 0 || fcntl(fd, F_GETFD) != FD_CLOEXEC;
}

static void another_users_broker_is_believed_what_the_kernel_bears_out(void **state)
{
	struct fixture *fixture = *state;
	static struct scene scenes[] = {
	        {.claimed = SERVER_UID, .owner = SERVER_UID},
	        {.claimed = SERVER_UID, .owner = CALLER_UID, .caller = CALLER_UID},
	        {.claimed = SERVER_UID,
	         .owner = SERVER_UID,
	         .caller = CALLER_UID,
	         .error = -ENOENT},
	        {.claimed = SERVER_UID, .owner = SERVER_UID, .silent = true, .error = -ENOENT},
	        {.claimed = SERVER_UID, .owner = SERVER_UID, .alone = true, .error = -ENOENT},
	        {.claimed = SERVER_UID + 7, .owner = SERVER_UID, .error = -ENOENT},
	};

	fixture_need_root();
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		atomic_store(&fixture->counters[READY], 0);
		pid_t server = fixture_fork(fixture, serve, &scenes[i]);
		EVENTUALLY(atomic_load(&fixture->counters[READY]));
		pid_t caller = fixture_fork(fixture, ask, &scenes[i]);
		int status = fixture_reap(fixture, caller);
		fixture_kill(fixture, server);
		if (status != 0)
			fail_msg("scene %zu: %d", i, status);
	}
}

static void a_name_that_is_none_and_one_that_nobody_serves(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(handover_receive("a/b"), -ENOENT);
	assert_int_equal(handover_receive(fixture->name), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        NO_TABLE_TEST(another_users_broker_is_believed_what_the_kernel_bears_out),
	        NO_TABLE_TEST(a_name_that_is_none_and_one_that_nobody_serves),
	};

	return cmocka_run_group_tests_name("newcomer", tests, NULL, NULL);
}

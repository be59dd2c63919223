/*
 * The broker's socket: it hands the table's descriptor to those who may open the table.
 *
 * A client sends nothing. SO_PEERCRED tells who it is; it gets one message, a line of text
 * with the descriptor, and the connection is closed. So there is no state for each client, and
 * a slow one holds nothing up. The socket's name is abstract: the kernel frees it with the
 * process, however that ends.
 */
#include "invbroker/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "invbroker/loop.h"

enum { GROUPS_MAX = 1024, BACKLOG = 128 };

static struct loop_source listening = {.fd = -1};
static inv_table *table;
static bool shared;
static gid_t shared_gid;
static int spare = -1; /* closed for a moment where no descriptor is left to accept with */

int handover_bind(const char *name)
{
	struct sockaddr_un address;
	int length = broker_socket_address(name, geteuid(), &address);

	if (length < 0)
		return length;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, (socklen_t)length) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int handover_connect(const char *name, pid_t *pid)
{
	struct sockaddr_un address;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int length = broker_socket_address(name, geteuid(), &address);

	if (length < 0)
		return length;
	int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connection < 0)
		return -errno;
	int error = connect(connection, (struct sockaddr *)&address, (socklen_t)length) == 0
	                    ? 0
	                    : -errno;
	if (!error && getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		error = -errno;
	if (!error && peer.uid != geteuid())
		error = -EPERM;
	if (error) {
		close(connection);
		return error;
	}
	*pid = peer.pid;
	return connection;
}

int handover_answer(int connection, int patience_ms)
{
	struct pollfd readable = {.fd = connection, .events = POLLIN};
	char line[128];

	if (poll(&readable, 1, patience_ms) != 1)
		return -ETIMEDOUT;
	/* Without room for control data the descriptor is not received. */
	ssize_t length = recv(connection, line, sizeof(line), 0);
	return length > 0 ? 0 : -ECONNRESET;
}

static bool in_groups(int connection)
{
	gid_t groups[GROUPS_MAX];
	socklen_t size = sizeof(groups);

	/* With more groups than that it does not count as a member. */
	if (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == shared_gid)
			return true;
	return false;
}

static bool may_have(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	return peer.uid == geteuid() ||
	       (shared && (peer.uid == 0 || peer.gid == shared_gid || in_groups(connection)));
}

static void hand_over(int connection)
{
	char line[96];
	int fd = broker_table_fd(table);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {.iov_base = line};
	struct msghdr message = {.msg_iov = &data,
	                         .msg_iovlen = 1,
	                         .msg_control = &control,
	                         .msg_controllen = sizeof(control)};

	data.iov_len = (size_t)snprintf(line, sizeof(line), "invbroker %s %d\n", inv_version(),
	                                (int)getpid());
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* No descriptor is left: close the connection, or it would wake the loop again and again. */
static void turn_away(void)
{
	if (spare < 0)
		return;
	close(spare);
	int connection = accept4(listening.fd, NULL, NULL, SOCK_CLOEXEC);
	if (connection >= 0)
		close(connection);
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void client_came(struct loop_source *source)
{
	int connection = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (connection < 0) {
		if (errno == EMFILE || errno == ENFILE)
			turn_away();
		return;
	}
	if (may_have(connection))
		hand_over(connection);
	close(connection);
}

int handover_open(int listener, inv_table *handed_table, const gid_t *gid)
{
	table = handed_table;
	shared = gid != NULL;
	shared_gid = gid ? *gid : 0;
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	listening = (struct loop_source){.fd = listener, .ready = client_came};
	return loop_add(&listening);
}

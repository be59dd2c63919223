/*
 * A table whose name was removed lives on in its broker, which hands it to
 * newcomers through its socket.
 *
 * The socket's name has the broker's user in it: invctl/UID/TABLE. A shared table may be
 * served by any member of its group, so where the caller has no broker of that name the
 * listening sockets are looked through for another user's. Anybody may listen under such a
 * name, so the kernel must bear out that the user in it is the one who listens; what is
 * handed over is believed no more than what lies under a name: here that it is the
 * caller's or of a group that the caller is in, and by the attach (table.c) all the rest.
 */
#include "table/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/broker.h"
#include "table/table.h"

#define SOCKETS_FILE "/proc/net/unix"
#define LISTENING " 00010000 "

/* Others get little time and few tries: they may be there to hold people up. */
enum { OWN_PATIENCE_MS = 2000, OTHERS_PATIENCE_MS = 250, OTHERS_MAX = 16, LINE_BYTES = 256 };

static int connect_to(const char *name, uid_t uid, int patience_ms)
{
	struct timeval patience = {.tv_sec = patience_ms / 1000,
	                           .tv_usec = (suseconds_t)(patience_ms % 1000) * 1000};
	struct sockaddr_un address;
	int length = broker_socket_address(name, uid, &address);

	if (length < 0)
		return length;
	int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection < 0)
		return -errno;
	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(connection, (struct sockaddr *)&address, (socklen_t)length) == 0)
		return connection;
	close(connection);
	return -ENOENT;
}

static bool peer_is(int connection, uid_t uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       peer.uid == uid;
}

/* The descriptor that comes with the broker's line. */
static int receive(int connection)
{
	char line[128];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {.iov_base = line, .iov_len = sizeof(line)};
	struct msghdr message = {.msg_iov = &data,
	                         .msg_iovlen = 1,
	                         .msg_control = &control,
	                         .msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -ENOENT;
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -ENOENT;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static int ask(const char *name, uid_t uid, int patience_ms)
{
	int connection = connect_to(name, uid, patience_ms);

	if (connection < 0)
		return connection;
	int fd = peer_is(connection, uid) ? receive(connection) : -ENOENT;
	close(connection);
	return fd;
}

/* Under its name the kernel would not have opened it for anybody else. */
static bool is_for_us(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 &&
	       (geteuid() == 0 || status.st_uid == geteuid() || group_member(status.st_gid));
}

/* The user in a line of SOCKETS_FILE about a listening socket of that table. */
static bool listens_for(char *line, const char *name, uid_t *uid)
{
	char *path = strstr(line, " @invctl/"), *rest;

	if (!path || !strstr(line, LISTENING))
		return false;
	path[strcspn(path, "\n")] = '\0';
	unsigned long number = strtoul(path + strlen(" @invctl/"), &rest, 10);
	*uid = (uid_t)number;
	return *uid == number && *rest == '/' && strcmp(rest + 1, name) == 0;
}

int handover_receive_from_others(const char *name)
{
	FILE *sockets = table_name_private(name) ? NULL : fopen(SOCKETS_FILE, "re");
	char line[LINE_BYTES];
	int fd = -ENOENT, tries = 0;
	uid_t uid;

	while (sockets && fd < 0 && tries < OTHERS_MAX && fgets(line, sizeof(line), sockets)) {
		if (!listens_for(line, name, &uid) || uid == geteuid())
			continue;
		tries++;
		fd = ask(name, uid, OTHERS_PATIENCE_MS);
		if (fd >= 0 && !is_for_us(fd)) {
			close(fd);
			fd = -ENOENT;
		}
	}
	if (sockets)
		fclose(sockets);
	return fd < 0 ? -ENOENT : fd;
}

int handover_receive(const char *name)
{
	int fd = ask(name, geteuid(), OWN_PATIENCE_MS);

	return fd < 0 ? handover_receive_from_others(name) : fd;
}

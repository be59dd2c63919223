/*
 * Receiving a table from its broker: see handover.h.
 *
 * The broker of a shared table may be any member of its group. So where the caller has no
 * broker of that name, the listening sockets are searched for another user's. Every user may
 * listen under such a name: the kernel must confirm that the user in the name is the one
 * that listens, and what is handed over is checked like any segment: here that it is the caller's
 * or of a group that the caller is in, and by the attach (attach.c) all the rest.
 */
#include "table/handover.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "table/table.h"

#define SOCKETS_FILE "/proc/net/unix"
#define LISTENING " 00010000 "

/* Others get little time and few tries: they may mean to delay the caller. */
enum { OWN_PATIENCE_MS = 2000, OTHERS_PATIENCE_MS = 250, OTHERS_MAX = 16, LINE_BYTES = 256 };

int handover_address(const char *name, uid_t uid, struct sockaddr_un *address)
{
	if (!table_name_valid(name))
		return -EINVAL;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	int length = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "invctl/%u/%s",
	                      (unsigned)uid, name);
	return (int)offsetof(struct sockaddr_un, sun_path) + 1 + length;
}

static int connect_to(const char *name, uid_t uid, int patience_ms)
{
	struct timeval patience = {.tv_sec = patience_ms / 1000,
	                           .tv_usec = (suseconds_t)(patience_ms % 1000) * 1000};
	struct sockaddr_un address;
	int length = handover_address(name, uid, &address);

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

static int receive_from(const char *name, uid_t uid, int patience_ms)
{
	int connection = connect_to(name, uid, patience_ms);

	if (connection < 0)
		return connection;
	int fd = peer_is(connection, uid) ? receive(connection) : -ENOENT;
	close(connection);
	return fd;
}

/* Under its name the kernel would have opened it for these alone. */
static bool is_for_us(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 &&
	       (geteuid() == 0 || status.st_uid == geteuid() || group_member(status.st_gid));
}

/* The table and the user in a line of SOCKETS_FILE about a broker's listening socket; NULL: it is
 * about another one. */
static const char *listener_in(char *line, uid_t *uid)
{
	char *path = strstr(line, " @invctl/"), *rest;

	if (!path || !strstr(line, LISTENING))
		return NULL;
	path[strcspn(path, "\n")] = '\0';
	unsigned long number = strtoul(path + strlen(" @invctl/"), &rest, 10);
	*uid = (uid_t)number;
	return *uid == number && *rest == '/' && table_name_valid(rest + 1) ? rest + 1 : NULL;
}

int handover_each_listener(void (*each)(const char *name, uid_t uid, void *arg), void *arg)
{
	FILE *sockets = fopen(SOCKETS_FILE, "re");
	char line[LINE_BYTES];
	const char *name;
	uid_t uid;

	if (!sockets)
		return -errno;
	while (fgets(line, sizeof(line), sockets))
		if ((name = listener_in(line, &uid)))
			each(name, uid, arg);
	fclose(sockets);
	return 0;
}

int handover_receive_from_others(const char *name)
{
	FILE *sockets = table_name_private(name) ? NULL : fopen(SOCKETS_FILE, "re");
	char line[LINE_BYTES];
	int fd = -ENOENT, tries = 0;
	uid_t uid;

	while (sockets && fd < 0 && tries < OTHERS_MAX && fgets(line, sizeof(line), sockets)) {
		const char *served = listener_in(line, &uid);
		if (!served || strcmp(served, name) != 0 || uid == geteuid())
			continue;
		tries++;
		fd = receive_from(name, uid, OTHERS_PATIENCE_MS);
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
	int fd = receive_from(name, geteuid(), OWN_PATIENCE_MS);

	return fd < 0 ? handover_receive_from_others(name) : fd;
}

/* Where the broker of a table listens: see broker.h. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "api/broker.h"
#include "table/table.h"

int broker_socket_address(const char *name, uid_t uid, struct sockaddr_un *address)
{
	if (!table_name_valid(name))
		return -EINVAL;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	/* Abstract: gone with its process, the same from cron, ssh and a desktop. */
	int length = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "invctl/%u/%s",
	                      (unsigned)uid, name);
	return (int)offsetof(struct sockaddr_un, sun_path) + 1 + length;
}

/*
 * A table whose name was removed lives on in its broker, which hands it over through a socket.
 * The socket's name is abstract: it is gone with its process, and the same from cron, ssh and a
 * desktop.
 */
#ifndef TABLE_HANDOVER_H
#define TABLE_HANDOVER_H

#include <sys/types.h>
#include <sys/un.h>

/* The socket of a user's broker of that table: invctl/UID/TABLE. Its length, or -EINVAL. */
int handover_address(const char *name, uid_t uid, struct sockaddr_un *address);

/* The descriptor of the live table of that name, from its broker: the caller's own, else another
 * user's. -ENOENT there is none; -errno. */
int handover_receive(const char *name);

/* The same, from other users' brokers alone. */
int handover_receive_from_others(const char *name);

/* Call each with the table and the user of every socket under the name of a broker's. 0; -errno the
 * sockets can't be listed. */
int handover_each_listener(void (*each)(const char *name, uid_t uid, void *arg), void *arg);

#endif

/*
 * Whether systemd-logind will remove a user's shared memory at the last logout
 * (RemoveIPC=yes, its default), the tables included.
 */
#ifndef LOGIND_H
#define LOGIND_H

#include <stdbool.h>
#include <sys/types.h>

/* How to prevent it; ends a sentence. */
#define LOGIND_REMEDY                                                                              \
	"'loginctl enable-linger' (lingering) or RemoveIPC=no in /etc/systemd/logind.conf "        \
	"prevents it"

bool logind_removes_shm(uid_t uid);

/* The same, with / elsewhere: for tests. */
bool logind_removes_shm_under(const char *root, uid_t uid);

#endif

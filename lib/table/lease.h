/*
 * Leases: locks on bytes of the segment, which the kernel frees with their holder,
 * however it dies, and of which it tells across PID namespaces in one system call.
 *
 * They are locks of an open file (F_OFD_SETLK), taken through a descriptor that is
 * handed to nobody: other descriptors of the segment may come and go, and a
 * stopped process keeps them. The serving broker holds one, and each owner whose PID
 * namespace is not that of the table's maker (owner.c).
 */
#ifndef LEASE_H
#define LEASE_H

#include <sys/stat.h>

#include "table/table.h"

/* The byte of the broker, and that of the owner with this index, behind the segment's end. */
enum { LEASE_BROKER = 0 };
off_t lease_of_owner(const inv_table *table, uint32_t index);

/* A descriptor to hold leases through, not to be handed on. -errno. */
int lease_open(const inv_table *table);

/* Give back what is held through it. */
void lease_close(const inv_table *table, int fd);

/* 0; -EBUSY somebody else has it. */
int lease_take(int fd, off_t byte);

void lease_give_back(int fd, off_t byte);

/* Does anybody hold it but through this descriptor: 1, 0, or -ESTALE where the table's
 * descriptor was closed behind our back. */
int lease_held(const inv_table *table, off_t byte);

/* Is the descriptor (still) one of the table's segment? */
bool lease_is_ours(const inv_table *table, int fd, struct stat *status);

#endif

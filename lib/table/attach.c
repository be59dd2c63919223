/*
 * Attaching to a segment: identity, validation, mapping; and detaching.
 *
 * Every user may put a file under a table's name in /dev/shm. It is opened
 * without following links or blocking on a FIFO, and must be a regular file, not
 * planted by another user (is_planted), with a mode no wider than promised, and one name.
 * The header is read once into private memory and checked against what is
 * computed from the capacity; sizes are never read from the segment again.
 */
#include "table/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fork.h"
#include "table/guard.h"
#include "table/lease.h"
#include "table/owner.h"

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static inv_table *attached; /* under list_lock */

static void lock_tables(void)
{
	for (inv_table *table = attached; table; table = table->next)
		pthread_mutex_lock(&table->lock);
}

static void unlock_tables(void)
{
	for (inv_table *table = attached; table; table = table->next)
		pthread_mutex_unlock(&table->lock);
}

static void leave_owners(void)
{
	table_each_attached(owner_fork_child);
}

FORK_HANDLER(.order = FORK_TABLES, .lock = &list_lock, .take = lock_tables,
             .release = unlock_tables, .in_child = leave_owners)

static void enlist(inv_table *table)
{
	pthread_mutex_lock(&list_lock);
	table->previous = NULL;
	table->next = attached;
	if (attached)
		attached->previous = table;
	attached = table;
	pthread_mutex_unlock(&list_lock);
}

static void delist(inv_table *table)
{
	pthread_mutex_lock(&list_lock);
	if (table->previous)
		table->previous->next = table->next;
	else
		attached = table->next;
	if (table->next)
		table->next->previous = table->previous;
	pthread_mutex_unlock(&list_lock);
}

void table_each_attached(void (*each)(inv_table *table))
{
	for (inv_table *table = attached; table; table = table->next)
		each(table);
}

/*
 * Whose table is used: the caller's own, root's, one that is shared with a group of the caller's,
 * and the one that /etc/invctl/table names. Under the caller's private name no other user's group
 * counts. Anything else was planted. Root could open it all the same, so it sees and cancels what
 * is in any table; but what root registers in one that was planted, its owner could end.
 */
static bool is_planted(const char *name, const struct stat *status)
{
	bool of_group = (status->st_mode & 07777) == 0660 && !table_name_private(name) &&
	                geteuid() != 0 &&
	                (status->st_gid == getegid() || group_member(status->st_gid));

	return status->st_uid != geteuid() && status->st_uid != 0 && !of_group &&
	       !table_name_of_system(name);
}

static int check_file(const struct stat *status, bool planted, bool handed_over)
{
	bool shared = (status->st_mode & 07777) == 0660;

	if (!S_ISREG(status->st_mode))
		return -EBADMSG;
	if (planted && geteuid() != 0)
		return -EPERM;
	if ((status->st_mode & 07777) != 0600 && !shared)
		return -EPERM;
	if (status->st_nlink != 1 && !(handed_over && status->st_nlink == 0))
		return -EPERM;
	return 0;
}

static int check_header(const struct header *header, const struct stat *status,
                        struct geometry *geometry)
{
	bool shared = (status->st_mode & 07777) == 0660;

	if (header->magic != LAYOUT_MAGIC)
		return -EBADMSG;
	if (header->version != LAYOUT_VERSION || header->fingerprint != LAYOUT_FINGERPRINT)
		return -EPROTO;
	if (geometry_of(header->capacity, geometry) != 0)
		return -EBADMSG;
	if (header->bytes != geometry->bytes || status->st_size < 0 ||
	    (uint64_t)status->st_size != geometry->bytes || header->slots != geometry->slots ||
	    header->buckets != geometry->buckets || header->width != geometry->width ||
	    header->owners != geometry->owners || header->epoch == 0)
		return -EBADMSG;
	if (header->uid != status->st_uid || header->shared != (uint32_t)shared ||
	    (shared && header->gid != status->st_gid))
		return -EBADMSG;
	return 0;
}

static void lay_out(inv_table *table)
{
	char *base = table->base;
	const struct geometry *geometry = &table->geometry;

	table->header = (struct header *)base;
	table->control = (shared_u64 *)(void *)(base + geometry->control_at);
	table->event = (shared_u64 *)(void *)(base + geometry->event_at);
	table->ids = (struct slot_id *)(void *)(base + geometry->ids_at);
	table->parent_index = (shared_u32 *)(void *)(base + geometry->parent_index_at);
	table->owners = (struct owner_entry *)(void *)(base + geometry->owners_at);
	table->slots = (struct slot *)(void *)(base + geometry->slots_at);
}

static int map_segment(inv_table *table, const struct header *header, bool guard)
{
	table->base =
	        mmap(NULL, table->geometry.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, table->fd, 0);
	if (table->base == MAP_FAILED)
		return -errno;
	if (guard) {
		int error = guard_add(table->base, table->geometry.bytes);
		if (error) {
			munmap(table->base, table->geometry.bytes);
			return error;
		}
		table->guarded = true;
	}
	table->epoch = header->epoch;
	table->uid = header->uid;
	lay_out(table);
	return 0;
}

static int attach_checked(inv_table *table, bool handed_over, bool guard)
{
	/* One private copy of the header; aligned as the struct must be. */
	struct header header;
	struct stat status;

	if (fstat(table->fd, &status) != 0)
		return -errno;
	table->view_only = is_planted(table->name, &status);
	int error = check_file(&status, table->view_only, handed_over);
	if (error)
		return error;
	ssize_t length = pread(table->fd, &header, sizeof(header), 0);
	if (length < 0)
		return -errno;
	if ((size_t)length < sizeof(header))
		return -EBADMSG;
	error = check_header(&header, &status, &table->geometry);
	if (error)
		return error;
	table->shared = (status.st_mode & 07777) == 0660;
	table->device = status.st_dev;
	table->inode = status.st_ino;
	return map_segment(table, &header, guard);
}

int table_attach_fd(const char *name, int fd, bool handed_over, bool guard, inv_table **out)
{
	inv_table *table = calloc(1, sizeof(*table));

	if (!table) {
		close(fd);
		return -ENOMEM;
	}
	table->fd = fd;
	snprintf(table->name, sizeof(table->name), "%s", name);
	int error = attach_checked(table, handed_over, guard);
	if (error) {
		close(fd);
		free(table);
		return error;
	}
	pthread_mutex_init(&table->lock, NULL);
	table->handles = table->first_handles;
	table->handle_chains = HANDLE_CHAINS_MIN;
	table->process = fork_generation();
	enlist(table);
	*out = table;
	return 0;
}

static int open_segment(const char *name)
{
	char object[INV_TABLE_NAME_BYTES + 1];

	snprintf(object, sizeof(object), "/%s", name);
	/* O_NONBLOCK: a FIFO planted under the name must not block the open. */
	int fd = shm_open(object, O_RDWR | O_NONBLOCK, 0);
	if (fd >= 0)
		return fd;
	/* A link, a directory, a socket: foreign all the same. */
	if (errno == ELOOP || errno == EISDIR || errno == ENXIO || errno == EINVAL)
		return -EBADMSG;
	return -errno;
}

int table_attach_named(const char *name, bool guard, inv_table **out)
{
	int fd = open_segment(name);

	return fd < 0 ? fd : table_attach_fd(name, fd, false, guard, out);
}

void table_detach(inv_table *table)
{
	delist(table);
	if (table->guarded)
		guard_remove(table->base);
	munmap(table->base, table->geometry.bytes);
	lease_close(table, table->fd);
	pthread_mutex_destroy(&table->lock);
	if (table->handles != table->first_handles)
		free(table->handles);
	free(table);
}

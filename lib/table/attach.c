/*
 * Attaching to a table: name, identity of the segment, validation, mapping.
 *
 * Anybody may plant something under a table's name in /dev/shm. It is opened
 * without following links or blocking on a FIFO, and must be a regular file, of
 * the caller (or shared on purpose), mode no wider than promised, with one name.
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

#include "api/event.h"
#include "invctl-supervisor.h"
#include "os/fork.h"
#include "table/guard.h"
#include "table/handover.h"
#include "table/ledger.h"
#include "table/owner.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define SYSTEM_TABLE_FILE "/etc/invctl/table"

bool table_name_valid(const char *name)
{
	size_t length = strnlen(name, INV_TABLE_NAME_BYTES);

	return length > 0 && length < INV_TABLE_NAME_BYTES &&
	       strspn(name, NAME_CHARACTERS) == length && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* 1 and the name; 0 there is none; -EINVAL it is no name. */
static int system_table_name(char name[INV_TABLE_NAME_BYTES])
{
	/* One byte more than a name: a longer one must not be cut to another's. */
	char text[INV_TABLE_NAME_BYTES + 1] = "";
	int fd = open(SYSTEM_TABLE_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[strcspn(text, " \t\r\n")] = '\0';
	if (!table_name_valid(text))
		return -EINVAL;
	memcpy(name, text, strlen(text) + 1);
	return 1;
}

int table_default_name(char name[INV_TABLE_NAME_BYTES])
{
	const char *set = getenv("INVCTL_TABLE");

	if (set && *set) {
		if (!table_name_valid(set))
			return -EINVAL;
		memcpy(name, set, strlen(set) + 1);
		return 0;
	}
	int found = system_table_name(name);
	if (found == 0)
		snprintf(name, INV_TABLE_NAME_BYTES, "invctl-%u", (unsigned)geteuid());
	return found < 0 ? found : 0;
}

bool table_name_private(const char *name)
{
	char own[INV_TABLE_NAME_BYTES];

	snprintf(own, sizeof(own), "invctl-%u", (unsigned)geteuid());
	return strcmp(name, own) == 0;
}

static int check_file(const char *name, const struct stat *status, bool handed_over)
{
	bool shared = (status->st_mode & 07777) == 0660;

	if (!S_ISREG(status->st_mode))
		return -EBADMSG;
	if (status->st_uid != geteuid() && (!shared || table_name_private(name)))
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
	/* One private copy of the header; alignment as the struct asks. */
	struct header header;
	struct stat status;

	if (fstat(table->fd, &status) != 0)
		return -errno;
	int error = check_file(table->name, &status, handed_over);
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
	fork_watch(table);
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

static int table_attach(const char *name, bool guard, inv_table **out)
{
	int error = table_attach_named(name, guard, out);

	if (error != -ENOENT)
		return error;
	int fd = handover_receive(name);
	return fd < 0 ? fd : table_attach_fd(name, fd, true, guard, out);
}

int inv_open(inv_table **out, const char *name, unsigned flags)
{
	char chosen[INV_TABLE_NAME_BYTES];
	bool guard = flags & INV_OPEN_GUARD;

	*out = NULL;
	if (flags & ~(unsigned)(INV_OPEN_AUTOSTART | INV_OPEN_GUARD))
		return -EINVAL;
	if (name && !table_name_valid(name))
		return -EINVAL;
	int error = name ? 0 : table_default_name(chosen);
	if (error)
		return error;
	if (name)
		memcpy(chosen, name, strlen(name) + 1);
	error = table_attach(chosen, guard, out);
	if (!(flags & INV_OPEN_AUTOSTART))
		return error;
	if (error == -ENOENT) {
		error = autostart_broker(chosen);
		return error ? error : table_attach(chosen, guard, out);
	}
	if (error == 0)
		table_ensure_broker(*out);
	return error;
}

void inv_close(inv_table *table)
{
	if (!table)
		return;
	fork_unwatch(table);
	event_handles_disown(table, false);
	owner_leave(table);
	ledger_close(table);
	if (table->guarded)
		guard_remove(table->base);
	munmap(table->base, table->geometry.bytes);
	table_close_descriptor(table);
	pthread_mutex_destroy(&table->lock);
	if (table->handles != table->first_handles)
		free(table->handles);
	free(table);
}

const char *inv_table_name(inv_table *table)
{
	return table_resolve(table, false, &table) == 0 ? table->name : "";
}

int inv_default_table_name(char name[INV_TABLE_NAME_BYTES])
{
	return table_default_name(name);
}

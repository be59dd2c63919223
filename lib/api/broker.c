/* What only the broker may do: see broker.h. */
#include "api/broker.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/run.h"
#include "os/clock.h"
#include "os/pid_namespace.h"
#include "protocol/hold.h"
#include "protocol/hold_copy.h"
#include "protocol/register.h"
#include "protocol/sweep.h"
#include "table/handover.h"
#include "table/index.h"
#include "table/lease.h"
#include "table/notification.h"
#include "table/owner.h"
#include "table/text.h"

/* The existing table: by its name; or from another user's broker, where a shared one has lost it.
 */
static int attach_existing(const char *name, inv_table **out)
{
	int error = table_attach_named(name, true, out);
	int fd = error == -ENOENT ? handover_receive_from_others(name) : -ENOENT;

	if (fd >= 0)
		error = table_attach_fd(name, fd, true, true, out);
	if (error || !(*out)->view_only)
		return error;
	table_detach(*out);
	*out = NULL;
	return -EPERM;
}

/* With the hold that stood in the former one. */
static int make(const struct broker_create *create, uint32_t capacity, inv_table **out)
{
	struct request_record hold;
	enum hold_copy copy = hold_copy_read(create->name, &hold);
	int error = table_make(create->name, capacity, create->shared ? &create->gid : NULL,
	                       copy == HOLD_COPY_NONE ? NULL : &hold, out);

	if (!error && copy == HOLD_COPY_WHOLE)
		atomic_store(&(*out)->header->hold_stored, atomic_load(&hold.word));
	return error;
}

int broker_open(const struct broker_create *create, inv_table **out, bool *created)
{
	enum { RACES_MAX = 100 };
	uint32_t capacity = create->capacity ? create->capacity : CAPACITY_DEFAULT;

	if (!table_name_valid(create->name))
		return -EINVAL;
	for (int i = 0; i < RACES_MAX; i++) {
		*created = false;
		int error = attach_existing(create->name, out);
		if (error != -ENOENT)
			return error;
		*created = true;
		error = make(create, capacity, out);
		if (error != -EEXIST)
			return error;
	}
	return -EAGAIN;
}

int broker_socket_address(const char *name, uid_t uid, struct sockaddr_un *address)
{
	return handover_address(name, uid, address);
}

static int take_lease(inv_table *table)
{
	int fd = lease_open(table);

	if (fd < 0)
		return fd;
	int error = lease_take(fd, LEASE_BROKER);
	if (error) {
		close(fd);
		return error;
	}
	table->lease_fd = fd;
	return 0;
}

int broker_serve(inv_table *table, int64_t retain_ns)
{
	struct header *header = table->header;
	int error = take_lease(table);

	if (error)
		return error;
	pthread_mutex_lock(&table->lock);
	error = register_owner(table);
	pthread_mutex_unlock(&table->lock);
	if (error) {
		broker_unserve(table);
		return error;
	}
	text_store(header->broker_version, 2, inv_version());
	atomic_store(&header->retain_ns, retain_ns);
	atomic_store(&header->broker_since_ns, clock_realtime_ns());
	atomic_store(&header->broker_pid, (uint64_t)getpid());
	atomic_store(&header->broker_owner, table->owner);
	return 0;
}

void broker_leaving(inv_table *table)
{
	atomic_store(&table->header->broker_owner, 0);
	atomic_store(&table->header->broker_pid, 0);
}

void broker_unserve(inv_table *table)
{
	broker_leaving(table);
	if (table->lease_fd > 0)
		close(table->lease_fd);
	table->lease_fd = 0;
}

int broker_table_fd(inv_table *table)
{
	return table->fd;
}

int broker_keep_hold(inv_table *table)
{
	return hold_copy_keep(table);
}

bool broker_hold_needs_table(const inv_table *table)
{
	return hold_stands(table) || !hold_is_stored(table);
}

void broker_wait_notification(inv_table *table, uint32_t *seen)
{
	notification_wait(table, seen);
}

void broker_each_owner(inv_table *table, void (*each)(const struct broker_owner *, void *),
                       void *arg)
{
	uint32_t last = owner_last(table);

	for (uint32_t index = 1; index <= last; index++) {
		struct process_identity identity;
		struct broker_owner owner = {.index = index};
		owner.generation = owner_read(table, index, &identity);
		if (owner.generation == 0 || index == table->owner)
			continue;
		if (identity.namespace == process_namespace())
			owner.pid = identity.pid;
		else
			owner.leased = owner_leased(owner.generation);
		each(&owner, arg);
	}
}

int broker_owner_pidfd(inv_table *table, const struct broker_owner *owner)
{
	struct process_identity identity;

	if (owner_read(table, owner->index, &identity) != owner->generation)
		return -ESRCH;
	if (identity.namespace != process_namespace())
		return -EXDEV;
	return process_open(&identity);
}

bool broker_owner_lapsed(inv_table *table, const struct broker_owner *owner)
{
	return lease_owner_held(table, owner->index) == 0;
}

struct adoption {
	void (*adopt)(inv_invocation *, void *);
	void *arg;
};

static bool adopt_one(inv_table *table, uint32_t index, uint64_t word, void *arg)
{
	const struct adoption *adoption = arg;
	inv_invocation *orphan = run_adopt(table, index, word);

	if (orphan)
		adoption->adopt(orphan, adoption->arg);
	return orphan != NULL;
}

void broker_sweep(inv_table *table, void (*adopt)(inv_invocation *, void *), void *arg)
{
	struct adoption adoption = {adopt, arg};

	if (sweep_dead(table, adopt ? adopt_one : NULL, &adoption))
		notify_broker(table);
}

void broker_sweep_owners(inv_table *table, const uint32_t *indices, size_t count,
                         void (*adopt)(inv_invocation *, void *), void *arg)
{
	struct adoption adoption = {adopt, arg};

	if (sweep_owners(table, indices, count, adopt ? adopt_one : NULL, &adoption))
		notify_broker(table);
}

void broker_recover(inv_table *table, void (*adopt)(inv_invocation *, void *), void *arg)
{
	struct adoption adoption = {adopt, arg};

	sweep_recover(table, adopt ? adopt_one : NULL, &adoption);
}

/*
 * The requests of stop-all: see stop_tables.h.
 *
 * First the table that the command line means, then those that are found in /dev/shm and by the
 * sockets of their brokers: in each the hold, and then the requests, which take no memory and wait
 * for no process. Then the supervisors that only run files show: those of a table of another
 * version, of a damaged one, or of one that lost its name and its broker, get a SIGTERM, which is a
 * request. Only then comes what may fail or take its time: a broker is started where none serves,
 * and the table that the command line means is made where there was none.
 */
#include "invctl/stop_tables.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/array.h"
#include "common/attach.h"
#include "common/message.h"
#include "invctl-supervisor.h"
#include "os/state_directory.h"

/* Preallocated: without memory the tables are known all the same. */
enum { TABLES_MAX = 256, TRIES = 3 };

static struct stop_table all_tables[TABLES_MAX];

static struct stop_target *add_target(struct stop *stop)
{
	struct stop_target *targets = array_room(stop->targets, stop->count, sizeof(*targets));

	if (!targets) {
		stop->unlisted++;
		return NULL;
	}
	stop->targets = targets;
	targets[stop->count] = (struct stop_target){.ended = false};
	return &targets[stop->count++];
}

struct requesting {
	struct stop *stop;
	const struct stop_table *table;
};

static void note_requested(const uint8_t id[16], void *arg)
{
	const struct requesting *requesting = arg;
	struct stop_target *target = add_target(requesting->stop);

	if (!target)
		return;
	memcpy(target->run.id, id, sizeof(target->run.id));
	target->table = requesting->table;
}

/* For want of descriptors or memory: the tables are opened again when they are needed. */
static void close_tables(const struct stop *stop)
{
	for (size_t i = 0; i < stop->table_count; i++) {
		inv_close(stop->tables[i].table);
		stop->tables[i].table = NULL;
	}
}

static int open_by_name(const struct stop *stop, struct stop_table *table, unsigned flags)
{
	int error = inv_open(&table->table, table->name, flags | INV_OPEN_GUARD);

	if (error != -EMFILE && error != -ENOMEM)
		return error;
	close_tables(stop);
	return inv_open(&table->table, table->name, flags | INV_OPEN_GUARD);
}

static uint64_t epoch_of(inv_table *table)
{
	struct inv_table_info info;

	return inv_table_info_get(table, &info) == 0 ? info.epoch : 0;
}

inv_table *stop_table_open(const struct stop *stop, const struct stop_table *table)
{
	struct stop_table *opened = &stop->tables[table - stop->tables];

	if (opened->table || opened->error)
		return opened->table;
	if (open_by_name(stop, opened, 0) == 0 && epoch_of(opened->table) != opened->epoch) {
		inv_close(opened->table);
		opened->table = NULL;
	}
	return opened->table;
}

/* Its record may be gone when its line is printed. */
static void note_names(const struct stop *stop, size_t first, inv_table *table)
{
	struct inv_info info;

	for (size_t i = first; i < stop->count; i++)
		if (inv_info_get(table, stop->targets[i].run.id, &info) == 0)
			memcpy(stop->targets[i].run.name, info.name, sizeof(info.name));
}

/* What is held already stays as it is: who was first, and why, is not lost. */
static int hold_and_request(struct stop *stop, struct stop_table *table, unsigned flags,
                            void (*each)(const uint8_t id[16], void *arg))
{
	struct requesting requesting = {.stop = stop, .table = table};
	struct inv_request hold;
	size_t first = stop->count;
	int error = open_by_name(stop, table, flags);

	if (!error && inv_hold_get(table->table, &hold) == 0)
		error = inv_hold(table->table, stop->reason ? stop->reason : "stop-all");
	/* Also where the hold failed. */
	if (table->table) {
		int failed = inv_cancel_everything(table->table, stop->reason, each, &requesting);
		error = error ? error : failed;
		table->epoch = epoch_of(table->table);
		note_names(stop, first, table->table);
	}
	return error;
}

static struct stop_table *find_table(const struct stop *stop, const char *name)
{
	for (size_t i = 0; i < stop->table_count; i++)
		if (strcmp(stop->tables[i].name, name) == 0)
			return &stop->tables[i];
	return NULL;
}

static struct stop_table *stop_table(struct stop *stop, const char *name, uint32_t uid)
{
	static struct stop_table unlisted;
	bool room = stop->table_count < TABLES_MAX;
	struct stop_table *table = room ? &stop->tables[stop->table_count++] : &unlisted;

	stop->tables_unlisted += !room;
	*table = (struct stop_table){.uid = uid};
	snprintf(table->name, sizeof(table->name), "%s", name);
	/* Its broker may end, and remove it, before the hold is in it. */
	for (int i = 0; i == 0 || (i < TRIES && table->error == -ESTALE); i++) {
		table->error = hold_and_request(stop, table, 0, room ? note_requested : NULL);
		/* Descriptors may be few: none is kept while tables are searched for. */
		inv_close(table->table);
		table->table = NULL;
	}
	return room ? table : NULL;
}

static void stop_found(const char *name, uint32_t uid, int served, void *arg)
{
	struct stop *stop = arg;

	if (find_table(stop, name))
		return;
	struct stop_table *table = stop_table(stop, name, uid);
	/* It was removed meanwhile; or another user's socket under a broker's name is no table. */
	if (table && table->error == -ENOENT && (!served || uid != geteuid()))
		stop->table_count--;
}

/* It has its request by the table. */
static bool is_in_table(const struct stop *stop, const struct stop_table *table,
                        const uint8_t id[16])
{
	struct inv_info info;
	inv_table *open = table ? stop_table_open(stop, table) : NULL;

	return open && inv_info_get(open, id, &info) == 0;
}

static int request_by_run_file(const struct supervised *run, void *arg)
{
	struct requesting *requesting = arg;
	struct stop_target *target;

	if (is_in_table(requesting->stop, requesting->table, run->id))
		return 0;
	int pidfd = supervised_request(run);
	if (pidfd == -EMFILE) {
		close_tables(requesting->stop);
		pidfd = supervised_request(run);
	}
	if (pidfd >= 0) {
		close(pidfd);
		target = add_target(requesting->stop);
		if (target)
			target->run = *run;
	} else if (pidfd != -ESRCH) {
		requesting->stop->incomplete = true;
		message("the supervisor of '%s' (process %d) can't be signalled: %s", run->name,
		        (int)run->supervisor, strerror(-pidfd));
	}
	return 0;
}

static void request_by_run_files(const char *name, void *arg)
{
	struct requesting requesting = {.stop = arg, .table = find_table(arg, name)};

	other_version_each(name, request_by_run_file, &requesting);
}

void stop_have_brokers(const struct stop *stop)
{
	for (size_t i = 0; i < stop->table_count; i++) {
		inv_table *table = stop_table_open(stop, &stop->tables[i]);
		if (table)
			inv_table_have_broker(table);
	}
}

/* What a request does not wait for. */
static void have_own_table(struct stop *stop, struct stop_table *own)
{
	if (own->error == -ENOENT || own->error == -ESTALE)
		own->error = hold_and_request(stop, own, INV_OPEN_AUTOSTART, note_requested);
}

void stop_tables(struct stop *stop)
{
	stop->tables = all_tables;
	struct stop_table *own = stop_table(stop, attach_name(stop->globals), geteuid());
	own->ours = true;
	int error = inv_tables_each(stop_found, stop);
	if (error) {
		stop->incomplete = true;
		message("other tables than '%s' could not be searched for: %s", own->name,
		        inv_strerror(error));
	}
	state_tables_each(request_by_run_files, stop);
	have_own_table(stop, own);
}

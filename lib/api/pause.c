/*
 * Pausing and resuming: inv_pause and inv_resume. The protocol stands in protocol/pause.c.
 *
 * Who did it stands in the invocation's log, if that is the caller's own to write.
 */
#include "protocol/pause.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "api/invocation.h"
#include "protocol/log.h"
#include "protocol/request.h"

enum { WHO_BYTES = 160 };

static void describe_caller(char who[WHO_BYTES])
{
	struct request_record record = {0};
	struct inv_request actor = {0};
	int64_t made_ns;

	request_write(&record, &(struct request){.cause = INV_CAUSE_REQUESTED});
	request_copy(&record, 0, &actor, &made_ns);
	snprintf(who, WHO_BYTES, "%s, pid %d of user %u%s%s%s%s%s%s", actor.command, actor.pid,
	         actor.uid, actor.terminal[0] ? ", on " : "", actor.terminal,
	         actor.script[0] ? ", called by " : "", actor.script,
	         actor.address[0] ? ", for " : "", actor.address);
}

static void log_it(inv_table *table, struct slot_ref ref, const uint8_t id[16], const char *what)
{
	uint64_t owner = atomic_load(&table->slots[ref.index].owner_process);
	char who[WHO_BYTES], text[WHO_BYTES + 32];

	if ((uint32_t)(owner >> 32) != geteuid())
		return;
	describe_caller(who);
	snprintf(text, sizeof(text), "%s by %s", what, who);
	log_append(table, ref, id, LOG_INFO, text);
}

static int find_live(inv_table **table, const uint8_t id[16], struct slot_ref *ref)
{
	int error = table_resolve(*table, false, table);

	return error ? error : invocation_find_live(*table, id, 0, ref);
}

int inv_pause_report(inv_table *table, const uint8_t id[16], unsigned flags,
                     void (*goes_on)(const uint8_t id[16], void *arg), void *arg)
{
	struct slot_ref ref;

	if (flags & ~(unsigned)INV_PAUSE_STOP_PROCESSES)
		return -EINVAL;
	int error = find_live(&table, id, &ref);
	if (error)
		return error;
	error = pause_begin(table, ref, flags & INV_PAUSE_STOP_PROCESSES, goes_on, arg);
	if (!error || error == -ENOMEM)
		log_it(table, ref, id, "paused");
	return error == -ESTALE ? -EALREADY : error;
}

int inv_pause(inv_table *table, const uint8_t id[16], unsigned flags)
{
	return inv_pause_report(table, id, flags, NULL, NULL);
}

int inv_resume(inv_table *table, const uint8_t id[16], unsigned flags)
{
	struct slot_ref ref;

	if (flags != 0)
		return -EINVAL;
	int error = find_live(&table, id, &ref);
	if (error)
		return error;
	error = pause_end(table, ref);
	if (!error || error == -ENOMEM)
		log_it(table, ref, id, "resumed");
	return error == -ESTALE ? -EALREADY : error;
}

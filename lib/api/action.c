/*
 * What an action calls about its own, current invocation: check, sleep, shield, progress, log;
 * and reading the log.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "api/context.h"
#include "api/event.h"
#include "api/handle.h"
#include "invctl-supervisor.h"
#include "protocol/log.h"
#include "protocol/progress.h"
#include "protocol/shield.h"
#include "table/last_check.h"

enum { LOG_TEXT_BYTES = 4096 };
static_assert((int)INV_SHIELD_PROCESSES == (int)SHIELD_HOLDERS, "as the table has words for");

int inv_check(void)
{
	inv_event *event;

	/* The hot path: a context of this thread, which no other thread has left. */
	if (context_innermost &&
	    !atomic_load_explicit(&context_innermost->left, memory_order_acquire))
		return inv_event_check(context_innermost->event);
	struct context_environment *kept =
	        context_innermost
	                ? NULL
	                : atomic_load_explicit(&context_environment, memory_order_acquire);
	if (kept && variable_unchanged(&kept->place)) {
		int result = inv_event_check(kept->event);
		if (result != -ESTALE)
			return result;
	}
	int error = context_event(&event);
	if (error)
		return error == -ENXIO ? 0 : error;
	return inv_event_check(event);
}

int inv_sleep(int64_t duration_ns)
{
	inv_event *event;
	int error = context_event(&event);

	if (error && error != -ENXIO)
		return error;
	if (!error)
		return inv_event_sleep(event, duration_ns);
	if (duration_ns < 0 && duration_ns != INV_FOREVER)
		return -EINVAL;
	return plain_sleep(duration_ns);
}

static int live_event(inv_event **event)
{
	uint64_t word;
	int error = context_event(event);

	return error ? error : event_word_of(*event, &word);
}

int inv_shield_begin(void)
{
	inv_event *event;
	int error = live_event(&event);

	if (error)
		return error;
	last_check_note(event->table, event->ref);
	return shield_begin(event->table, event->ref, getpid(), INV_FOREVER);
}

int inv_shield_end(void)
{
	inv_event *event;
	int error = live_event(&event);

	if (error)
		return error;
	last_check_note(event->table, event->ref);
	int result = shield_end(event->table, event->ref, getpid());
	return result < 0 ? result : 0;
}

int inv_shield_begin_for(inv_table *table, const uint8_t id[16], pid_t pid, int64_t limit_ns)
{
	inv_event *event;
	int error = event_handle_find(table, id, &event);

	if (error)
		return error;
	last_check_note(table, event->ref);
	error = shield_begin(table, event->ref, pid, limit_ns);
	inv_event_put(event);
	return error;
}

int inv_shield_processes(inv_table *table, const uint8_t id[16], pid_t pids[INV_SHIELD_PROCESSES])
{
	inv_event *event;
	int result = event_handle_find(table, id, &event);

	if (result)
		return result;
	result = shield_processes(table, event->ref, pids);
	inv_event_put(event);
	return result;
}

int inv_shield_end_for(inv_table *table, const uint8_t id[16], pid_t pid)
{
	inv_event *event;
	int result = event_handle_find(table, id, &event);

	if (result)
		return result;
	last_check_note(table, event->ref);
	result = shield_end(table, event->ref, pid);
	inv_event_put(event);
	return result;
}

int inv_progress(double percent, const char *text)
{
	inv_event *event;
	int error = live_event(&event);

	/* Written so that not-a-number is refused too. */
	if (!(percent >= 0 && percent <= 100))
		return -EINVAL;
	return error ? error : progress_store(event->table, event->ref, percent, text);
}

int inv_log_text(int level, const char *text)
{
	inv_event *event;
	int error = live_event(&event);

	if (level < LOG_EMERG || level > LOG_DEBUG || !text)
		return -EINVAL;
	return error ? error : log_append(event->table, event->ref, event->id, level, text);
}

int inv_vlog(int level, const char *format, va_list args)
{
	char text[LOG_TEXT_BYTES];

	if (vsnprintf(text, sizeof(text), format, args) < 0)
		return -EINVAL;
	return inv_log_text(level, text);
}

int inv_log(int level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int error = inv_vlog(level, format, args);
	va_end(args);
	return error;
}

int inv_log_open(const char *table_name, const uint8_t id[16], inv_log_reader **out)
{
	return log_reader_open(table_name, id, out);
}

int inv_log_next(inv_log_reader *reader, struct inv_log_record *record)
{
	return log_reader_next(reader, record);
}

void inv_log_close(inv_log_reader *reader)
{
	log_reader_close(reader);
}

int inv_log_read(inv_table *table, const uint8_t id[16],
                 int (*each)(int64_t time_ns, int level, const char *text, void *arg), void *arg)
{
	struct inv_log_record record;
	inv_log_reader *reader = NULL;
	int result = table_resolve(table, false, &table);

	if (result == 0)
		result = log_reader_open(table->name, id, &reader);
	if (!reader)
		return result;
	while ((result = log_reader_next(reader, &record)) == 1) {
		result = each(record.time_ns, record.level, record.text, arg);
		if (result != 0)
			break;
	}
	log_reader_close(reader);
	return result;
}

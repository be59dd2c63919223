/* Names of the enums, sentences for errors, and the text of ids. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <uuid/uuid.h>

#include "invctl.h"

const char *inv_version(void)
{
	return INV_VERSION;
}

const char *inv_status_name(int status)
{
	static const char *const names[] = {
	        [INV_COMPLETED] = "completed", [INV_CANCELLED] = "cancelled", [INV_ERROR] = "error",
	        [INV_PENDING] = "pending",     [INV_RUNNING] = "running",
	};

	return status >= 0 && status <= INV_RUNNING ? names[status] : "unknown";
}

const char *inv_cause_name(int cause)
{
	static const char *const names[] = {
	        [INV_CAUSE_NONE] = "none",           [INV_CAUSE_REQUESTED] = "requested",
	        [INV_CAUSE_DEADLINE] = "deadline",   [INV_CAUSE_PARENT] = "parent",
	        [INV_CAUSE_INTERRUPT] = "interrupt", [INV_CAUSE_HOLD] = "hold",
	        [INV_CAUSE_LOST] = "lost",           [INV_CAUSE_EXIT] = "exit",
	        [INV_CAUSE_SIGNAL] = "signal",       [INV_CAUSE_EXEC] = "exec",
	};

	return cause >= 0 && cause <= INV_CAUSE_EXEC ? names[cause] : "unknown";
}

const char *inv_cancel_state_name(int state)
{
	static const char *const names[] = {
	        [INV_CANCEL_NONE] = "none",           [INV_CANCEL_REQUESTED] = "requested",
	        [INV_CANCEL_DELIVERED] = "delivered", [INV_CANCEL_SIGNALLED] = "signalled",
	        [INV_CANCEL_KILLED] = "killed",
	};

	return state >= 0 && state <= INV_CANCEL_KILLED ? names[state] : "unknown";
}

const char *inv_strerror(int error)
{
	static const struct {
		int error;
		const char *sentence;
	} sentences[] = {
	        {0, "no error"},
	        {ECANCELED, "asked to stop"},
	        {ESTALE, "the invocation has ended, or the handle is another process's"},
	        {ENOENT, "no such invocation or table"},
	        {EEXIST, "the id is registered already"},
	        {EALREADY, "the invocation has already finished"},
	        {ENXIO, "outside any invocation context"},
	        {ENOSPC, "the table or the file system is full"},
	        {EBADMSG, "the segment is not an invctl table, or is damaged"},
	        {EPROTO, "the table is of another version of invctl"},
	        {EPERM, "not permitted"},
	        {EACCES, "permission denied"},
	        {EINVAL, "invalid argument"},
	        {EINTR, "interrupted by a signal"},
	        {ETIMEDOUT, "timed out"},
	        {ECHILD, "the broker could not be started"},
	        {ENOMEM, "out of memory"},
	        {EBUSY, "in use"},
	        {EAGAIN, "temporarily out of resources"},
	        {EOPNOTSUPP, "the action has never checked, so that it can't be paused"},
	};

	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].error == (error < 0 ? -error : error))
			return sentences[i].sentence;
	const char *description = strerrordesc_np(error < 0 ? -error : error);
	return description ? description : "unknown error";
}

void inv_id_format(const uint8_t id[16], char text[INV_ID_TEXT_BYTES])
{
	uuid_unparse_lower(id, text);
}

int inv_id_parse(const char *text, uint8_t id[16])
{
	/* libuuid before 2.39 reads past the end of a short text; and takes no more. */
	if (strnlen(text, 37) != 36)
		return -EINVAL;
	return uuid_parse(text, id) == 0 ? 0 : -EINVAL;
}

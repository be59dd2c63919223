/* An invocation's end and its request in words: see reason.h. */
#include "invctl-view/reason.h"

#include <stdio.h>
#include <string.h>

#include "common/duration.h"
#include "common/user.h"
#include "invctl-exit-status.h"

void user_format(uint32_t uid, char *text, size_t size)
{
	const char *name = user_name(uid);

	if (name)
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "user %u", uid);
}

void actor_format(const struct inv_request *request, char *text, size_t size)
{
	char user[64];

	if (request->address[0]) {
		snprintf(text, size, "%s, %s", request->command, request->address);
		return;
	}
	user_format(request->uid, user, sizeof(user));
	snprintf(text, size, "%s%s%s%s%s", user, request->terminal[0] ? ", " : "",
	         request->terminal, request->script[0] ? ", " : "", request->script);
}

int64_t ran_ns(const struct inv_info *info)
{
	return elapsed_ns(elapsed_ns(info->requested_ns, info->started_ns), info->age_ns);
}

static void exec_format(const struct inv_info *info, const struct details *details, char *text,
                        size_t size)
{
	const char *what = info->wait_status == EXIT_NOT_FOUND ? "not found" : "not executable";

	if (details->command && details->command[0])
		snprintf(text, size, "%s: %s", what, details->command[0]);
	else
		snprintf(text, size, "%s", what);
}

/* What to say where the request came without a reason. */
static const char *cause_words(int cause)
{
	switch (cause) {
	case INV_CAUSE_DEADLINE:
		return "deadline";
	case INV_CAUSE_PARENT:
		return "its parent was cancelled";
	case INV_CAUSE_INTERRUPT:
		return "interrupted";
	case INV_CAUSE_HOLD:
		return "hold";
	default:
		return "";
	}
}

static void request_format(const struct inv_info *info, char *text, size_t size)
{
	const char *why =
	        info->cancel.reason[0] ? info->cancel.reason : cause_words(info->cancel.cause);
	char actor[128];

	actor_format(&info->cancel, actor, sizeof(actor));
	if (info->cancel.cause == INV_CAUSE_DEADLINE)
		snprintf(text, size, "%s", why);
	else
		snprintf(text, size, "%s%s(%s)", why, *why ? " " : "", actor);
}

void reason_format(const struct inv_info *info, const struct details *details, char *text,
                   size_t size)
{
	text[0] = '\0';
	if (info->cause == INV_CAUSE_EXEC)
		exec_format(info, details, text, size);
	else if (info->cause == INV_CAUSE_LOST)
		snprintf(text, size, "ended unseen");
	else if (info->cancel.state != INV_CANCEL_NONE)
		request_format(info, text, size);
}

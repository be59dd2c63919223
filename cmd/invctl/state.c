/* The state of an invocation at a glance. */
#include <string.h>

#include "common/duration.h"
#include "invctl/columns.h"

/* A request that was made longer ago, and has not been delivered, is overdue. */
#define OVERDUE_NS (10 * NS_PER_SECOND)

static const char *request_word(const struct inv_info *info)
{
	if (info->cancel.state == INV_CANCEL_NONE)
		return NULL;
	if (info->cancel.state == INV_CANCEL_REQUESTED && info->cancel.age_ns > OVERDUE_NS)
		return "overdue";
	return "asked";
}

void state_format(const struct inv_info *info, char *text, size_t size)
{
	if (info->status != INV_RUNNING) {
		stpcpy(text, inv_status_name(info->status));
		return;
	}

	const char *words[] = {
	        info->finishing ? "finishing" : NULL,
	        request_word(info),
	        info->shielded ? "shielded" : NULL,
	        info->paused ? "paused" : NULL,
	};
	size_t used = 0;

	memcpy(text, "running", sizeof("running"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i] && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
			                         used > 0 ? "," : "", words[i]);
}

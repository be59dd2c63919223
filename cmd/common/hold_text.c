/* A hold in words: see hold_text.h. */
#include "common/hold_text.h"

#include <stdio.h>

#include "common/duration.h"
#include "common/user.h"

enum { WHO_BYTES = 160 };

/* The process is known of every hold whose record is whole. */
static void describe_actor(const struct inv_request *hold, char who[WHO_BYTES])
{
	const char *name = user_name(hold->uid);
	char user[64];

	if (hold->pid == 0) {
		snprintf(who, WHO_BYTES, "by whom is not known");
		return;
	}
	if (hold->address[0] != '\0') {
		snprintf(who, WHO_BYTES, "%s at %s", hold->command, hold->address);
		return;
	}
	snprintf(user, sizeof(user), "user %u", hold->uid);
	snprintf(who, WHO_BYTES, "%.60s%s%s%s%s", name ? name : user, hold->script[0] ? " in " : "",
	         hold->script, hold->terminal[0] ? " on " : "", hold->terminal);
}

void hold_describe(const struct inv_request *hold, char text[HOLD_TEXT_BYTES])
{
	char who[WHO_BYTES], age[DURATION_TEXT_BYTES];

	describe_actor(hold, who);
	duration_format_rough(hold->age_ns, age);
	snprintf(text, HOLD_TEXT_BYTES, "%s (%s, %s ago)",
	         hold->reason[0] ? hold->reason : "without a note", who, age);
}

/* A request as JSON: see request_json.h. */
#include "common/request_json.h"

#include "common/user.h"

static void write_actor(struct json *json, const struct inv_info *info)
{
	json_object(json, "actor");
	json_number(json, "uid", info->cancel_uid);
	json_text(json, "user", user_name(info->cancel_uid));
	json_number_or_null(json, "pid", info->cancel_pid, 0);
	json_text_or_null(json, "command", info->cancel_command);
	json_null(json, "terminal");
	json_null(json, "script");
	json_null(json, "address");
	json_end(json);
}

void json_request(struct json *json, const char *key, const struct inv_info *info)
{
	if (info->cancel_state == INV_CANCEL_NONE) {
		json_null(json, key);
		return;
	}
	json_object(json, key);
	json_text(json, "state", inv_cancel_state_name(info->cancel_state));
	json_text(json, "cause", inv_cause_name(info->cancel_cause));
	json_text_or_null(json, "reason", info->cancel_reason);
	write_actor(json, info);
	json_time(json, "time", info->cancel_ns);
	json_end(json);
}

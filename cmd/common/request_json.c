/* A request as JSON: see request_json.h. */
#include "common/request_json.h"

#include "common/user.h"

void json_actor(struct json *json, const struct inv_request *request)
{
	json_object(json, "actor");
	json_number(json, "uid", request->uid);
	json_text(json, "user", user_name(request->uid));
	json_number_or_null(json, "pid", request->pid, 0);
	json_text_or_null(json, "command", request->command);
	json_text_or_null(json, "terminal", request->terminal);
	json_text_or_null(json, "script", request->script);
	json_text_or_null(json, "address", request->address);
	json_end(json);
}

void json_request(struct json *json, const char *key, const struct inv_request *request)
{
	if (request->state == INV_CANCEL_NONE) {
		json_null(json, key);
		return;
	}
	json_object(json, key);
	json_text(json, "state", inv_cancel_state_name(request->state));
	json_text(json, "cause", inv_cause_name(request->cause));
	json_text_or_null(json, "reason", request->reason);
	json_actor(json, request);
	json_time(json, "time", request->time_ns);
	json_end(json);
}

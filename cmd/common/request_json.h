/* A request as JSON. */
#ifndef REQUEST_JSON_H
#define REQUEST_JSON_H

#include "common/json_writer.h"
#include "invctl.h"

/* Who made the request. */
void json_actor(struct json *json, const struct inv_request *request);

/* Null, or state, cause, reason, actor, time. */
void json_request(struct json *json, const char *key, const struct inv_request *request);

#endif

/* An invocation as JSON: the keys that scripts rely on. */
#ifndef INVOCATION_JSON_H
#define INVOCATION_JSON_H

#include "common/json_writer.h"
#include "invctl-view/details.h"
#include "invctl-view/state.h"
#include "invctl.h"

/* The members of its object, without its log. */
void json_invocation(struct json *json, const struct inv_info *info, enum state state,
                     const struct details *details);

#endif

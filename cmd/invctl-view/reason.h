/* An invocation's end and its request, in words for a person. */
#ifndef REASON_H
#define REASON_H

#include <stddef.h>
#include <stdint.h>

#include "invctl-view/details.h"
#include "invctl.h"

/* Why it ended or is to stop, and who requested that; "": there is nothing to tell. */
void reason_format(const struct inv_info *info, const struct details *details, char *text,
                   size_t size);

/* Who made the request: the user, the terminal, the script. */
void actor_format(const struct inv_request *request, char *text, size_t size);

/* The name of a user, or the number where it has none. */
void user_format(uint32_t uid, char *text, size_t size);

/* From its start to its end, or to now. */
int64_t ran_ns(const struct inv_info *info);

#endif

/* invctl list, where the table is of another version: see list_other_version.h. */
#include "invctl-view/list_other_version.h"

#include <errno.h>
#include <stdio.h>

#include "common/attach.h"
#include "common/escape.h"
#include "common/json_writer.h"
#include "common/message.h"
#include "common/other_version.h"

static int print_line(const struct supervised *run, void *arg)
{
	char id_text[INV_ID_TEXT_BYTES], name[ESCAPED_BYTES(INV_NAME_BYTES)];
	size_t *count = arg;

	inv_id_format(run->id, id_text);
	escape_text(run->name, name, sizeof(name));
	printf("%s  %s  run by process %d\n", id_text, name, (int)run->supervisor);
	++*count;
	return 0;
}

static int print_object(const struct supervised *run, void *arg)
{
	struct json *json = arg;

	json_object(json, NULL);
	json_id(json, "id", run->id);
	json_text(json, "action", run->name);
	json_number(json, "ownerPid", run->supervisor);
	json_end(json);
	return 0;
}

int list_other_version(const struct globals *globals, bool json)
{
	size_t count = 0;
	int status = attach_failure(globals, -EPROTO);

	if (json) {
		struct json writer = json_begin(stdout, JSON_DEPTH_MAX);
		json_array(&writer, NULL);
		other_version_each(attach_name(globals), print_object, &writer);
		json_end(&writer);
		return status;
	}
	other_version_each(attach_name(globals), print_line, &count);
	if (count > 0)
		message("'invctl cancel' reaches these, by a SIGTERM to the process that runs "
		        "them");
	return status;
}

/* The invocation that a command used inside an action is about. */
#include "invctl/context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/attach.h"
#include "common/message.h"
#include "common/selector.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"
#include "invctl/other_tables.h"

int context_id(const struct globals *globals, uint8_t id[16])
{
	char context_table[INV_TABLE_NAME_BYTES];
	int error = inv_current_id(id);

	if (error < 0 || !globals->table)
		return error;
	if (inv_default_table_name(context_table) < 0 || strcmp(globals->table, context_table) != 0)
		return -ENXIO;
	return 0;
}

bool context_is_required(void)
{
	const char *require = secure_getenv("INVCTL_REQUIRE");

	return require && strcmp(require, "1") == 0;
}

int context_unusable(void)
{
	const char *set = secure_getenv("INVCTL_ID");

	message("INVCTL_ID '%s' is no UUID; unset it, or start this with 'invctl run'",
	        set ? set : "");
	return EXIT_NO_INVOCATION;
}

static int outside(const struct globals *globals)
{
	if (!context_is_required())
		return 0;
	const char *set = secure_getenv("INVCTL_ID");

	if (set && *set)
		message("INVCTL_REQUIRE=1, and this runs in no invocation of table '%s': INVCTL_ID "
		        "belongs to another one; leave --table out",
		        attach_name(globals));
	else
		message("INVCTL_REQUIRE=1, and this runs in no invocation: INVCTL_ID is not set; "
		        "'sudo --preserve-env=INVCTL_ID,INVCTL_TABLE' keeps it");
	return EXIT_NO_INVOCATION;
}

static int open_table(const struct globals *globals, const char *id_text, enum selector_names names,
                      struct context *context)
{
	int error = attach_table(globals, 0, &context->table);

	if (error < 0 && error != -ENOENT)
		return attach_failure(globals, error);
	if (id_text)
		return selector_resolve(globals, context->table, id_text, names, context->id);
	return error < 0 ? context_failure(globals, context, error) : 0;
}

int context_open(const struct globals *globals, const char *id_text, enum selector_names names,
                 struct context *context)
{
	memset(context, 0, sizeof(*context));
	if (!id_text) {
		int error = context_id(globals, context->id);

		if (error == -ENXIO)
			return outside(globals);
		if (error < 0)
			return context_unusable();
	}
	context->inside = true;

	return open_table(globals, id_text, names, context);
}

int context_failure(const struct globals *globals, const struct context *context, int error)
{
	const char *table = attach_name(globals);
	char id_text[INV_ID_TEXT_BYTES], other[INV_TABLE_NAME_BYTES];
	int status;

	inv_id_format(context->id, id_text);
	if (error == -ESTALE && attach_lost(table, &status))
		return status;
	if (error == -ESTALE || error == -EALREADY) {
		message("invocation %s has already finished", id_text);
		return EXIT_FINISHED;
	}
	if (error != -ENOENT) {
		message("invocation %s in table '%s': %s", id_text, table, inv_strerror(error));
		return EXIT_INTERNAL;
	}
	if (other_table_with(table, context->id, other))
		message("no invocation %s in table '%s', but table '%s' has it; use --table=%s",
		        id_text, table, other, other);
	else
		message("no invocation %s in table '%s', so nothing can request this action to "
		        "stop; "
		        "unset INVCTL_ID if it should go on alone",
		        id_text, table);
	return EXIT_NO_INVOCATION;
}

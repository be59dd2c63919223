/* All the invocations that a command line means: SELECTORs and groups of live ones. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "common/array.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl/selectors.h"

enum { OPTION_NAME = 0x200, OPTION_ALL, OPTION_CHILDREN };

static const struct argp_option options[] = {
        {NULL, 0, NULL, 0, "Which invocations:", 10},
        {"name", OPTION_NAME, "GLOB", 0, "All live ones with such a name", 10},
        {"children", OPTION_CHILDREN, "SELECTOR", 0, "All live ones started by that one", 10},
        {"all", OPTION_ALL, NULL, 0, "All live ones", 10},
        {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct selectors *selectors = state->input;

	switch (key) {
	case OPTION_NAME:
		selectors->name_glob = value;
		return 0;
	case OPTION_CHILDREN:
		selectors->children = value;
		return 0;
	case OPTION_ALL:
		selectors->all = true;
		return 0;
	case ARGP_KEY_ARGS:
		selectors->words = state->argv + state->next;
		selectors->count = (size_t)(state->argc - state->next);
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (selectors->count == 0 && !selectors->name_glob && !selectors->children &&
		    !selectors->all)
			usage_error(state, "say which invocation: a SELECTOR, --name, --children "
			                   "or --all");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp selectors_argp = {.options = options, .parser = parse_option};

/* Collects the members of the groups. */
struct collection {
	const struct selectors *selectors;
	bool has_parent;
	uint8_t parent[16];
	struct targets *targets;
};

static bool is_target(const struct targets *targets, size_t among, const uint8_t id[16])
{
	for (size_t i = 0; i < among; i++)
		if (targets->list[i].failure == 0 && memcmp(targets->list[i].id, id, 16) == 0)
			return true;
	return false;
}

static struct target *add_target(struct collection *collection)
{
	struct targets *targets = collection->targets;

	struct target *list = array_room(targets->list, targets->count, sizeof(*list));

	if (!list)
		return NULL;
	targets->list = list;
	memset(&targets->list[targets->count], 0, sizeof(struct target));
	return &targets->list[targets->count++];
}

static bool in_a_group(const struct collection *collection, const struct inv_info *info)
{
	const struct selectors *selectors = collection->selectors;

	if (info->status != INV_PENDING && info->status != INV_RUNNING)
		return false;
	return selectors->all ||
	       (selectors->name_glob && fnmatch(selectors->name_glob, info->name, 0) == 0) ||
	       (collection->has_parent && memcmp(info->parent, collection->parent, 16) == 0);
}

/* The members come each once from the list, so only the words can name one already. */
static int collect(const struct inv_info *info, void *arg)
{
	struct collection *collection = arg;

	if (!in_a_group(collection, info) ||
	    is_target(collection->targets, collection->selectors->count, info->id))
		return 0;

	struct target *target = add_target(collection);

	if (!target)
		return 1;
	memcpy(target->id, info->id, sizeof(target->id));
	return 0;
}

static int out_of_memory(void)
{
	message("there is not enough memory for the list of invocations");
	return EXIT_INTERNAL;
}

static int collect_groups(const struct globals *globals, inv_table *table,
                          struct collection *collection)
{
	const struct selectors *selectors = collection->selectors;

	if (selectors->children) {
		int failure = selector_resolve(globals, table, selectors->children, SELECTOR_LIVE,
		                               collection->parent);

		if (failure != 0) {
			struct target *target = add_target(collection);

			if (!target)
				return out_of_memory();
			target->failure = failure;
		}
		collection->has_parent = failure == 0;
	}
	if (!table || (!selectors->all && !selectors->name_glob && !collection->has_parent))
		return 0;

	int result = inv_list(table, collect, collection);

	if (result < 0) {
		message("the table can't be read: %s", inv_strerror(result));
		return EXIT_NO_TABLE;
	}
	return result == 0 ? 0 : out_of_memory();
}

int selectors_resolve(const struct globals *globals, inv_table *table,
                      const struct selectors *selectors, struct targets *targets)
{
	struct collection collection = {.selectors = selectors, .targets = targets};

	memset(targets, 0, sizeof(*targets));
	for (size_t i = 0; i < selectors->count; i++) {
		struct target *target = add_target(&collection);

		if (!target)
			return out_of_memory();
		target->failure = selector_resolve(globals, table, selectors->words[i],
		                                   selectors->names, target->id);
	}
	return collect_groups(globals, table, &collection);
}

void targets_free(struct targets *targets)
{
	free(targets->list);
	memset(targets, 0, sizeof(*targets));
}

/* One SELECTOR: see selector.h. */
#include "common/selector.h"

#include <string.h>
#include <strings.h>

#include "common/attach.h"
#include "common/candidates.h"
#include "common/duration.h"
#include "common/message.h"
#include "invctl-exit-status.h"

enum { PREFIX_DIGITS = 4 /* fewer would hit by chance */ };

/* What fits a text. */
struct search {
	const char *text;
	bool is_prefix;
	struct candidates named; /* live ones */
	struct candidates prefixed;
	bool any_finished;
	struct inv_info finished; /* the last that ended of that name */
};

/* Hexadecimal digits, at least four, and hyphens where an id has them or nowhere. */
static bool could_be_prefix(const char *text)
{
	size_t length = strlen(text), digits = 0;

	for (size_t i = 0; i < length; i++) {
		bool hyphen_place = i == 8 || i == 13 || i == 18 || i == 23;

		if (strchr("0123456789abcdefABCDEF", text[i]))
			digits++;
		else if (text[i] != '-' || !hyphen_place)
			return false;
	}
	return digits >= PREFIX_DIGITS && length < INV_ID_TEXT_BYTES;
}

/* The id without its hyphens. */
static void plain_format(const char id_text[INV_ID_TEXT_BYTES], char plain[INV_ID_TEXT_BYTES])
{
	size_t used = 0;

	for (const char *at = id_text; *at; at++)
		if (*at != '-')
			plain[used++] = *at;
	plain[used] = '\0';
}

static bool prefix_matches(const char *text, const uint8_t id[16])
{
	char id_text[INV_ID_TEXT_BYTES], plain[INV_ID_TEXT_BYTES];
	size_t length = strlen(text);

	inv_id_format(id, id_text);
	plain_format(id_text, plain);
	return strncasecmp(text, id_text, length) == 0 || strncasecmp(text, plain, length) == 0;
}

/* A name that was longer than its field is kept shortened, and is meant by its full text too. */
bool selector_is_name(const char *text, const char *name)
{
	size_t kept = strlen(name);

	if (kept + 4 >= INV_NAME_BYTES && strlen(text) >= INV_NAME_BYTES)
		return strncmp(text, name, kept) == 0;
	return strcmp(text, name) == 0;
}

static void consider_finished(struct search *search, const struct inv_info *info)
{
	if (search->any_finished && info->completed_ns <= search->finished.completed_ns)
		return;
	search->any_finished = true;
	search->finished = *info;
}

static int consider(const struct inv_info *info, void *arg)
{
	struct search *search = arg;
	bool live = info->status == INV_PENDING || info->status == INV_RUNNING;

	if (selector_is_name(search->text, info->name)) {
		if (live)
			candidates_add(&search->named, info, live);
		else
			consider_finished(search, info);
	}
	if (search->is_prefix && prefix_matches(search->text, info->id))
		candidates_add(&search->prefixed, info, live);
	return 0;
}

/*
 * All that have this name have ended. A command that acts on live ones does not take the text for
 * the beginning of an id either: it was meant as a name.
 */
static int take_finished(const struct search *search, enum selector_names names, uint8_t id[16])
{
	char id_text[INV_ID_TEXT_BYTES], ago[DURATION_TEXT_BYTES];

	memcpy(id, search->finished.id, 16);
	if (names == SELECTOR_FINISHED)
		return 0;
	inv_id_format(id, id_text);
	duration_format_rough(elapsed_ns(search->finished.completed_ns, clock_realtime_ns()), ago);
	message("no live invocation '%s': the last one of that name ended %s ago (%s); 'invctl "
	        "show %s' tells how",
	        search->text, ago, inv_status_name(search->finished.status), id_text);
	return EXIT_NO_INVOCATION;
}

int selector_unknown(const char *text)
{
	message("no invocation '%s'; 'invctl list --all' shows the recent ones", text);
	return EXIT_NO_INVOCATION;
}

static int resolve_by_search(inv_table *table, const char *text, enum selector_names names,
                             uint8_t id[16])
{
	struct search search = {.text = text, .is_prefix = could_be_prefix(text)};
	int error = inv_list(table, consider, &search);

	if (error < 0) {
		message("the table can't be read: %s", inv_strerror(error));
		return EXIT_NO_TABLE;
	}

	if (search.named.count == 0 && search.any_finished)
		return take_finished(&search, names, id);

	const struct candidates *found = search.named.count > 0 ? &search.named : &search.prefixed;

	if (found->count == 0)
		return selector_unknown(text);
	if (found->count > 1) {
		candidates_tell(table, text, found);
		return EXIT_AMBIGUOUS;
	}
	memcpy(id, found->first[0].id, 16);
	return 0;
}

int selector_resolve(const struct globals *globals, inv_table *table, const char *text,
                     enum selector_names names, uint8_t id[16])
{
	struct inv_info info;

	if (!table) {
		message("no invocation '%s': there is no table '%s'", text, attach_name(globals));
		return EXIT_NO_INVOCATION;
	}
	if (inv_id_parse(text, id) < 0)
		return resolve_by_search(table, text, names, id);
	return inv_info_get(table, id, &info) < 0 ? selector_unknown(text) : 0;
}

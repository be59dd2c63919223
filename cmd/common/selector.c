/* One SELECTOR: see selector.h. */
#include "common/selector.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/attach.h"
#include "common/message.h"
#include "invctl-exit-status.h"

enum {
	PREFIX_DIGITS = 4, /* fewer would hit by chance */
	CANDIDATES_SHOWN = 16,
};

struct candidates {
	size_t count; /* of all, also those that are not stored */
	struct {
		uint8_t id[16];
		int status;
		char name[INV_NAME_BYTES];
	} first[CANDIDATES_SHOWN];
};

struct search {
	const char *text;
	bool is_prefix;
	struct candidates named, prefixed;
	bool any_finished;
	int64_t newest_ns;  /* when it was registered */
	uint8_t newest[16]; /* the newest finished one of that name */
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
static bool name_matches(const char *text, const char *name)
{
	size_t kept = strlen(name);

	if (kept + 4 >= INV_NAME_BYTES && strlen(text) >= INV_NAME_BYTES)
		return strncmp(text, name, kept) == 0;
	return strcmp(text, name) == 0;
}

static void add_candidate(struct candidates *candidates, const struct inv_info *info)
{
	if (candidates->count < CANDIDATES_SHOWN) {
		size_t at = candidates->count;

		memcpy(candidates->first[at].id, info->id, sizeof(info->id));
		memcpy(candidates->first[at].name, info->name, sizeof(info->name));
		candidates->first[at].status = info->status;
	}
	candidates->count++;
}

static void consider_finished(struct search *search, const struct inv_info *info)
{
	if (search->any_finished && info->requested_ns < search->newest_ns)
		return;
	search->any_finished = true;
	search->newest_ns = info->requested_ns;
	memcpy(search->newest, info->id, sizeof(search->newest));
}

static int consider(const struct inv_info *info, void *arg)
{
	struct search *search = arg;
	bool live = info->status == INV_PENDING || info->status == INV_RUNNING;

	if (name_matches(search->text, info->name)) {
		if (live)
			add_candidate(&search->named, info);
		else
			consider_finished(search, info);
	}
	if (search->is_prefix && prefix_matches(search->text, info->id))
		add_candidate(&search->prefixed, info);
	return 0;
}

static int ambiguous(const char *text, const struct candidates *candidates)
{
	message("'%s' means %zu invocations; choose one by its id:", text, candidates->count);
	for (size_t i = 0; i < candidates->count && i < CANDIDATES_SHOWN; i++) {
		char id_text[INV_ID_TEXT_BYTES];

		inv_id_format(candidates->first[i].id, id_text);
		message("  %s  %-9s  %s", id_text, inv_status_name(candidates->first[i].status),
		        candidates->first[i].name);
	}
	if (candidates->count > CANDIDATES_SHOWN)
		message("  and %zu more", candidates->count - CANDIDATES_SHOWN);
	return EXIT_AMBIGUOUS;
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

	if (names == SELECTOR_FINISHED && search.named.count == 0 && search.any_finished) {
		memcpy(id, search.newest, sizeof(search.newest));
		return 0;
	}

	const struct candidates *found = search.named.count > 0 ? &search.named : &search.prefixed;

	if (found->count == 0)
		return selector_unknown(text);
	if (found->count > 1)
		return ambiguous(text, found);
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

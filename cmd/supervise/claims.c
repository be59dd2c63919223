/* The other live invocations of `run`: see claims.h. */
#include "supervise/claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/array.h"

/* More levels than are ever nested: bounds a walk along parents in a damaged table. */
enum { DEPTH_LIMIT = 256 };

static bool same_id(const uint8_t a[16], const uint8_t b[16])
{
	return memcmp(a, b, 16) == 0;
}

static int add(const struct inv_info *info, void *arg)
{
	struct claims *claims = arg;

	if (info->kind != INV_KIND_RUN ||
	    (info->status != INV_PENDING && info->status != INV_RUNNING) ||
	    same_id(info->id, claims->supervised))
		return 0;

	struct claim *items = array_room(claims->items, claims->count, sizeof(*claims->items));

	if (!items)
		return -ENOMEM;
	claims->items = items;

	struct claim *claim = &items[claims->count++];

	/* The broker owns it when its supervisor has died. */
	*claim = (struct claim){.supervisor = info->orphaned ? 0 : info->owner_pid,
	                        .command = info->pid,
	                        .no_kill = info->no_kill != 0};
	memcpy(claim->id, info->id, sizeof(claim->id));
	memcpy(claim->parent, info->parent, sizeof(claim->parent));
	return 0;
}

/* The parent of any invocation; false: none is known. */
static bool parent_of(const struct claims *claims, const uint8_t id[16], uint8_t parent[16])
{
	static const uint8_t none[16];
	struct inv_info info;

	if (inv_info_get(claims->table, id, &info) != 0 || same_id(info.parent, none))
		return false;
	memcpy(parent, info.parent, sizeof(info.parent));
	return true;
}

/* Walk up to the supervised one. What lies between may be an invocation of a program, which
 * claims nothing. */
static void place(const struct claims *claims, struct claim *claim)
{
	uint8_t id[16];
	bool protected = claim->no_kill;

	memcpy(id, claim->parent, sizeof(id));
	for (int depth = 0; depth < DEPTH_LIMIT; depth++) {
		if (same_id(id, claims->supervised)) {
			claim->nested = true;
			claim->killable = !protected;
			return;
		}

		int at = claims_by_id(claims, id);

		if (at >= 0) {
			protected |= claims->items[at].no_kill;
			memcpy(id, claims->items[at].parent, sizeof(id));
		} else if (!parent_of(claims, id, id)) {
			return;
		}
	}
}

static int order_ids(const void *a, const void *b)
{
	return memcmp(((const struct claim *)a)->id, ((const struct claim *)b)->id, 16);
}

static int order_pids(const void *a, const void *b)
{
	pid_t one = ((const struct claim_pid *)a)->pid, other = ((const struct claim_pid *)b)->pid;

	return one < other ? -1 : one > other;
}

static void add_pid(struct claims *claims, pid_t pid, size_t claim)
{
	if (pid > 0)
		claims->pids[claims->pid_count++] =
		        (struct claim_pid){.pid = pid, .claim = (int)claim};
}

/* There can be many live invocations, and every process is searched for among them. */
static int index_claims(struct claims *claims)
{
	if (claims->count == 0)
		return 0;
	claims->pids = calloc(2 * claims->count, sizeof(*claims->pids));
	if (!claims->pids)
		return -ENOMEM;
	qsort(claims->items, claims->count, sizeof(*claims->items), order_ids);
	for (size_t i = 0; i < claims->count; i++) {
		add_pid(claims, claims->items[i].supervisor, i);
		add_pid(claims, claims->items[i].command, i);
	}
	qsort(claims->pids, claims->pid_count, sizeof(*claims->pids), order_pids);
	return 0;
}

int claims_read(struct claims *claims, inv_table *table, const uint8_t supervised[16])
{
	*claims = (struct claims){.table = table, .supervised = supervised};
	if (inv_list(table, add, claims) == -ENOMEM || index_claims(claims) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < claims->count; i++)
		place(claims, &claims->items[i]);
	return 0;
}

void claims_free(struct claims *claims)
{
	free(claims->items);
	free(claims->pids);
	*claims = (struct claims){0};
}

int claims_by_pid(const struct claims *claims, pid_t pid)
{
	struct claim_pid sought = {.pid = pid};
	struct claim_pid *found = NULL;

	if (claims->pid_count > 0)
		found = bsearch(&sought, claims->pids, claims->pid_count, sizeof(sought),
		                order_pids);
	return found ? found->claim : -1;
}

int claims_by_id(const struct claims *claims, const uint8_t id[16])
{
	struct claim sought = {0}, *found = NULL;

	memcpy(sought.id, id, sizeof(sought.id));
	if (claims->count > 0)
		found = bsearch(&sought, claims->items, claims->count, sizeof(sought), order_ids);
	return found ? (int)(found - claims->items) : -1;
}

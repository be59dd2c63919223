/*
 * What must hold of any table after a recovery: every slot is free, or live with a
 * living owner, or done; of an id there is one; nobody dead has an entry; what had
 * ended has the outcome that it had; an id that has no record can be registered.
 */
#include "crash.h"

#include <errno.h>
#include <string.h>

#include "table/event_word.h"
#include "table/owner.h"

static void check_slot(struct scene *scene, uint32_t index)
{
	inv_table *table = scene->table;
	uint64_t word = atomic_load(&table->control[index]), owner_word;
	uint64_t event = event_word_load(table, slot_ref_of(index, word));
	enum slot_state state = control_state(word);

	expect(scene, state == SLOT_FREE || state == SLOT_LIVE || state == SLOT_DONE,
	       "slot %u is left in state %d", index, (int)state);
	if (state == SLOT_LIVE) {
		expect(scene, owner_life(table, control_owner(word), &owner_word) == PROCESS_ALIVE,
		       "slot %u is owned by the dead", index);
		expect(scene, event != 0, "slot %u has another's event word", index);
	} else if (state == SLOT_DONE) {
		expect(scene, outcome_unpack(control_owner(word)).status <= INV_ERROR,
		       "slot %u ended without an outcome", index);
		expect(scene, event & EVENT_ENDED, "slot %u ended with an open event", index);
	}
}

static void check_unique(struct scene *scene, uint32_t index)
{
	const inv_table *table = scene->table;

	for (uint32_t i = 0; i < index; i++)
		if (slot_visible(atomic_load(&table->control[i])) &&
		    slot_visible(atomic_load(&table->control[index])))
			expect(scene,
			       atomic_load(&table->ids[i].half[0]) !=
			                       atomic_load(&table->ids[index].half[0]) ||
			               atomic_load(&table->ids[i].half[1]) !=
			                       atomic_load(&table->ids[index].half[1]),
			       "slots %u and %u have the same id", i, index);
}

static void check_owner(struct scene *scene, uint32_t index)
{
	struct process_identity identity;
	uint64_t word = owner_read(scene->table, index, &identity);

	if (word != 0)
		expect(scene, process_life(&identity) == PROCESS_ALIVE,
		       "owner %u is the dead process %d", index, (int)identity.pid);
}

void invariants_check(struct scene *scene)
{
	for (uint32_t i = 0; i < scene->table->geometry.slots; i++) {
		check_slot(scene, i);
		check_unique(scene, i);
	}
	for (uint32_t i = 1; i < scene->table->geometry.owners; i++)
		check_owner(scene, i);
}

void outcomes_note(struct scene *scene)
{
	for (int i = 0; i < CAPACITY; i++) {
		uint64_t word = atomic_load(&scene->table->control[i]);
		scene->ended[i] = control_state(word) == SLOT_DONE ? word : 0;
	}
}

void outcomes_check(struct scene *scene)
{
	for (int i = 0; i < CAPACITY; i++)
		if (scene->ended[i] != 0)
			expect(scene, atomic_load(&scene->table->control[i]) == scene->ended[i],
			       "slot %d had ended and has another outcome", i);
}

void registrable_check(struct scene *scene)
{
	for (int i = 0; i < IDS; i++) {
		enum slot_state state = SLOT_FREE;
		bool kept = scene_visible(scene, scene->ids[i], &state);
		inv_event *event = NULL;
		int answer = inv_event_create(scene->table, scene->ids[i], &event);
		expect(scene, !kept || state == SLOT_DONE, "id %d is live, and nobody is left", i);
		expect(scene, answer == (kept ? -EEXIST : 0), "id %d can't be registered again: %s",
		       i, inv_strerror(answer));
		inv_event_put(event);
	}
}

/* What the calls on events (event.c) share with others. */
#ifndef EVENT_H
#define EVENT_H

#include "api/handle.h"

/* As event_word_of. Without a broker, it sweeps after the owner if that is dead. */
int event_living_word_of(const inv_event *event, uint64_t *word);

/* After a slice of waiting: does its owner live? 0 or -ESTALE. */
int event_still_alive(inv_table *table, struct slot_ref ref);

/* As inv_event_check, but it does not stop while the invocation is paused. */
int event_take(inv_event *event);

/* Not cancellable: outside any context. 0, -EINTR. */
int plain_sleep(int64_t duration_ns);

#endif

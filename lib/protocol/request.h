/* A request to one invocation to stop, and its record: see request.c. */
#ifndef REQUEST_H
#define REQUEST_H

#include "invctl-supervisor.h"
#include "table/table.h"

struct request {
	int cause;          /* enum inv_cause */
	const char *reason; /* may be NULL */
	uint64_t call;      /* request_call(): one call makes one request of each; 0: by itself */
	bool by_signal;     /* it came as a signal to `run` */
};

/* A number for one command or call, however many invocations it reaches, and by which ways. */
uint64_t request_call(void);

/* The number of the call that made the request which the event word shows; 0: not known. */
uint64_t request_call_of(const inv_table *table, struct slot_ref ref, uint64_t event_word);

/* Whether the delivered request that the event word shows is the one that was delivered by signal:
 * a later one may have been taken by a check. */
bool request_by_signal(uint64_t event_word, uint64_t slot_flags);

/* As inv_actor_set. */
void request_set_actor(const struct inv_actor *actor);

/* Make a request to one registration. 1 made; 0 one was pending already, or this call, or this
 * signal, has made one before; -EALREADY its command has ended; -ESTALE. */
int request_make(inv_table *table, struct slot_ref ref, const struct request *request);

/* Take the pending request for a check or a sleep. 1 taken; 0 there is none; -ESTALE. */
int request_take(inv_table *table, struct slot_ref ref);

/* Write a record whose word the caller has claimed. */
void request_write(struct request_record *record, const struct request *request);

/* The inverse of request_copy, but for the word: a record of which a copy was kept elsewhere. */
void request_restore(struct request_record *record, const struct inv_request *request);

/* Copy a record while its word is this one. false: it is not. */
bool request_copy(const struct request_record *record, uint64_t word, struct inv_request *out,
                  int64_t *monotonic_ns);

/* The request that stopped the action, which is the last one that was delivered; else the pending
 * one. Its state and age are left 0. *monotonic_ns: when it was made; 0: not known. Where its
 * maker was killed while writing the record, only the cause "requested" is known.
 * false: there is none, and *out is all zero. */
bool request_read(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                  struct inv_request *out, int64_t *monotonic_ns);

/* The pending one, where another was delivered before. */
bool request_read_later(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                        struct inv_request *out, int64_t *monotonic_ns);

#endif

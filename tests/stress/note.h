/*
 * What a worker notes of what it does, for the judge that comes after the storm.
 *
 * A line a note, "WORD ID VALUE", each one append that the kernel keeps whole, so a
 * worker that is SIGKILLed leaves whole lines and says no more than what it did:
 *
 *   perhaps ID -       about to register it: a record there may be
 *   begun ID -         registered: a record there must be
 *   ended ID STATUS    ended by the owner, who was told that it was recorded
 *   seen ID STATUS     how somebody who waited saw it end
 *   exited ID STATUS   how its `invctl run` exited
 *   asked ID -         asked to stop
 *   bad ID TEXT        an answer that the library must never give
 */
#ifndef STRESS_NOTE_H
#define STRESS_NOTE_H

#include <stdint.h>

/* 0, or -1 where the file can't be opened. */
int note_open(const char *path);

void note(const char *word, const uint8_t id[16]);
void note_number(const char *word, const uint8_t id[16], int number);

/* Notes as bad that the call answered what it must not. */
void note_bad(const uint8_t id[16], const char *call, int answer);

#endif

/*
 * Text and ids in shared memory are stored as 64-bit words, each atomic: a
 * writer and a reader that race get a mixture, never undefined behaviour, and
 * the protocol's word tells the reader to throw it away.
 *
 * Stores are releases and loads are acquires, which makes word-payload-word
 * reading sound without fences: a load that sees a new tenant's payload sees,
 * in the second read of the word, that the tenant is new.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "table/layout.h"

static inline void words_store(shared_u64 *words, size_t count, const void *bytes)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t word;

		memcpy(&word, (const char *)bytes + i * sizeof(word), sizeof(word));
		atomic_store_explicit(&words[i], word, memory_order_release);
	}
}

static inline void words_load(const shared_u64 *words, size_t count, void *bytes)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t word = atomic_load_explicit(&words[i], memory_order_acquire);

		memcpy((char *)bytes + i * sizeof(word), &word, sizeof(word));
	}
}

/* Store text, shortened to a whole UTF-8 character that fits count words and a NUL. */
void text_store(shared_u64 *words, size_t count, const char *text);

/* Load text: always ends with a NUL, whatever the words hold. */
static inline void text_load(const shared_u64 *words, size_t count, char *text)
{
	words_load(words, count, text);
	text[count * sizeof(uint64_t) - 1] = '\0';
}

#endif

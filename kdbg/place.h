/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a pointer was found, in words for people: "kvd`table+0x18", "thread 71
 * frame 2 work+0x31 (held.c:25) sp+0x18", "thread 71 rbx", a buffer.
 *
 * Each word of a target is of one kind. Roots and the program's part of live
 * buffers hold references; the rest holds what was left behind.
 */
#ifndef KDBG_PLACE_H
#define KDBG_PLACE_H

#include "kdbg/heap.h"
#include "kdbg/reach.h"
#include "kdbg/session.h"

enum place_kind {
	PLACE_NOWHERE, /* the allocator's own, read-only, not mapped */
	PLACE_DATA,
	PLACE_STACK, /* of a live thread, TLS included */
	PLACE_REGISTERS,
	PLACE_OTHER,   /* any other root */
	PLACE_IGNORED, /* no word: the program said to ignore the buffer */
	PLACE_BUFFER,
	PLACE_POSSIBLE, /* a buffer that only an inner pointer holds */
	PLACE_LEAKED,   /* a buffer that nothing holds */
	PLACE_SLACK,    /* of a live buffer, outside what was asked for */
	PLACE_FREED,    /* a buffer that the program does not have */
	PLACE_STALE,    /* a part of a stack that is not in use */
	PLACE_KIND_COUNT
};
const char *place_kind_name(enum place_kind kind);

struct place {
	enum place_kind kind;
	uint64_t address;           /* of the word; 0: in registers */
	const struct root *root;    /* or NULL */
	uint64_t root_offset;       /* of a word in root->words */
	struct heap_buffer buffer;  /* where it is one */
	const struct root_gap *gap; /* of PLACE_STALE */
};

struct places;

/* The session's heap and reach must outlive it. */
struct err *places_create(struct session *session,
			  struct places **ret) MUST_USE;
void places_destroy(struct places *places);

/* Of a root whose words are not memory. */
static inline struct place place_of_words(const struct root *root,
					  uint64_t offset)
{
	return (struct place){ .kind = root->kind == ROOT_IGNORED
					       ? PLACE_IGNORED
					       : PLACE_REGISTERS,
			       .root = root,
			       .root_offset = offset };
}

/* Of what kind is the word at an address? */
struct place places_at(struct places *places, uint64_t address);

/* Does the word lie in a thread's storage, not in one of its frames? */
bool places_is_storage(struct places *places, uint64_t address);

/* Always terminated. */
void places_describe(struct places *places, const struct place *place,
		     char *buffer, size_t size);

/* "kmem_alloc_64, 40 bytes, from main+0x12 (leak.c:7)" */
void places_describe_buffer(struct places *places,
			    const struct heap_buffer *buffer, char *text,
			    size_t size);

/* A variable, a thread's stack or a mapping: what holds the word of a root. */
struct root_holder {
	enum place_kind kind;
	uint64_t start, end; /* of stacks and registers: 0 */
	uint32_t tid;
};
struct root_holder places_holder(struct places *places, const struct root *root,
				 uint64_t address);
void places_describe_holder(struct places *places,
			    const struct root_holder *holder, char *buffer,
			    size_t size);

#endif

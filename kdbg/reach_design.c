/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner pointers that show, by what lies around them, that this is how their
 * owner keeps the buffer:
 *
 *	aligned by hand		| ... | start | T ...		start shows it
 *	array with a cookie	| n | T | T | ...		n shows it
 *	shared string		| length | capacity | uses | text ...
 *	sds string		| length | room | type | text ...
 *	second base		| vtable | ... | vtable of the base | ...
 *
 * start is the buffer's own start; sizeof(T) * n is the rest of the buffer. The
 * shared string is libstdc++'s of before C++11, sds that of redis and its
 * clients. The vtable of a second base says how far above it the object starts,
 * and is of the same type as the one that the object starts with.
 */
#include "kdbg/reach_scan.h"
#include "kdbg/target.h"

#include <stdlib.h>

enum {
	SHARED_STRING_HEADER = 24,
	VTABLE_HEADER = 16, /* offset to top, type */
	VTABLE_SLOTS = 1024,
};

/* A buffer and what is asked about it. */
struct inner {
	struct scan *scan;
	const struct scan_slab *slab;
	struct scan_extent extent;
	uint64_t word, offset; /* of it from the start */
};

/* Bytes of the buffer from offset on; NULL: it has fewer. */
static const char *bytes_at(const struct inner *inner, uint64_t offset,
			    uint64_t size)
{
	const struct scan_extent *extent = &inner->extent;

	if (!inner->slab->bytes || offset > extent->size ||
	    size > extent->size - offset)
		return NULL;
	return inner->slab->bytes + (extent->user - inner->slab->first) +
	       offset;
}

/* Little-endian, of up to 8 bytes; 0: not there. */
static uint64_t integer_at(const struct inner *inner, uint64_t offset,
			   uint64_t size)
{
	const char *at = bytes_at(inner, offset, size);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, size);
	return value;
}

static bool is_end_of_text(const struct inner *inner, uint64_t length)
{
	const char *end = length < inner->extent.size
				  ? bytes_at(inner, inner->offset + length, 1)
				  : NULL;

	return end && *end == '\0';
}

static bool is_aligned_by_hand(const struct inner *inner)
{
	for (uint64_t i = inner->offset < 8 ? 0 : inner->offset - 8;
	     i <= inner->offset + 16; i += 8)
		if (integer_at(inner, i, 8) == inner->extent.user)
			return true;
	return false;
}

/* As many bytes as T is aligned to, and 8 at least, stand before the array: the
 * last of them are n. */
static bool is_array(const struct inner *inner)
{
	uint64_t cookie = inner->offset, rest = inner->extent.size - cookie;
	uint64_t count;

	if (cookie < 8 || (cookie & (cookie - 1)) ||
	    !bytes_at(inner, cookie - 8, 8))
		return false;
	count = integer_at(inner, cookie - 8, 8);
	if (!count)
		return !rest;
	return count <= rest && rest % count == 0 &&
	       (cookie == 8 || rest / count % cookie == 0);
}

static bool is_shared_string(const struct inner *inner)
{
	uint64_t length = integer_at(inner, 0, 8);
	uint64_t capacity = integer_at(inner, 8, 8);

	return inner->offset == SHARED_STRING_HEADER && length <= capacity &&
	       capacity < inner->extent.size - SHARED_STRING_HEADER &&
	       is_end_of_text(inner, length);
}

/* The low bits of the byte before the text say how wide length and room are. */
static bool is_sds(const struct inner *inner)
{
	uint64_t type = integer_at(inner, inner->offset - 1, 1);
	uint64_t width, length, room;

	if ((type & 7) == 0)
		return inner->offset == 1 && is_end_of_text(inner, type >> 3) &&
		       inner->extent.size == (type >> 3) + 2;
	width = UINT64_C(1) << ((type & 7) - 1);
	if (type > 4 || inner->offset != 2 * width + 1)
		return false;
	length = integer_at(inner, 0, width);
	room = integer_at(inner, width, width);
	return length <= room && room < inner->extent.size - inner->offset &&
	       is_end_of_text(inner, length);
}

/* Offset to top and type of a vtable. Targets are for one thread at a time. */
static struct scan_vtable vtable_at(struct scan *scan, uint64_t address)
{
	struct scan_vtables *all = scan->vtables;
	struct scan_vtable *slot = &all->slots[address / 8 % VTABLE_SLOTS];
	struct scan_vtable vtable;
	uint64_t words[VTABLE_HEADER / 8];

	pthread_mutex_lock(&all->lock);
	if (slot->address != address) {
		*slot = (struct scan_vtable){ .address = address };
		if (target_read_some(scan->target, address - VTABLE_HEADER,
				     words, sizeof(words)) == sizeof(words)) {
			slot->to_top = words[0];
			slot->type = words[1];
			slot->there = true;
		}
	}
	vtable = *slot;
	pthread_mutex_unlock(&all->lock);
	return vtable;
}

static bool is_second_base(const struct inner *inner)
{
	uint64_t own = integer_at(inner, 0, 8);
	uint64_t base = integer_at(inner, inner->offset, 8);
	struct scan_vtable vtable;

	if (inner->offset % 8 || own % 8 || base % 8 || own < 4096 ||
	    base < 4096 || scan_in_range(inner->scan, own) ||
	    scan_in_range(inner->scan, base))
		return false;
	vtable = vtable_at(inner->scan, base);
	if (!vtable.there || vtable.to_top + inner->offset != 0)
		return false;
	base = vtable.type;
	vtable = vtable_at(inner->scan, own);
	return vtable.there && vtable.to_top == 0 && vtable.type == base;
}

bool scan_by_design(struct scan *scan, const struct scan_slab *slab,
		    struct scan_extent extent, uint64_t word)
{
	const struct inner inner = { scan, slab, extent, word,
				     word - extent.user };

	return is_aligned_by_hand(&inner) || is_array(&inner) ||
	       is_shared_string(&inner) || is_sds(&inner) ||
	       is_second_base(&inner);
}

struct scan_vtables *scan_vtables_create(void)
{
	struct scan_vtables *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->slots = calloc(VTABLE_SLOTS, sizeof(*all->slots));
	if (!all->slots) {
		free(all);
		return NULL;
	}
	pthread_mutex_init(&all->lock, NULL);
	return all;
}

void scan_vtables_destroy(struct scan_vtables *all)
{
	if (!all)
		return;
	pthread_mutex_destroy(&all->lock);
	free(all->slots);
	free(all);
}

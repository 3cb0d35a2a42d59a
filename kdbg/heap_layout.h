/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the allocator's fields are in the target that is open: the debugger's
 * half of dumpfmt/layout.h.
 *
 *	layout.kma_slab.self.size	bytes of a slab header
 *	layout.kma_slab.stride		a struct field
 *	layout.constants.KMA_PAGE_SHIFT	a struct constant
 *
 * A record is a view of a structure's bytes. As the schema was checked, any
 * field of the structure may be read from it; an absent one reads as 0.
 */
#ifndef KDBG_HEAP_LAYOUT_H
#define KDBG_HEAP_LAYOUT_H

#include "dumpfmt/layout.h"
#include "kdbg/schema.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct constant {
	uint64_t value;
	bool present;
};

/* clang-format off */
#define BEGIN_STRUCT(s, revision)	struct { struct field self;
#define DECLARE_FIELD(s, f, kind)	struct field f;
#define END_STRUCT(s)			} s;
#define DECLARE_CONSTANT(name)		struct constant name;

struct heap_layout {
	KMA_LAYOUT(BEGIN_STRUCT, DECLARE_FIELD, DECLARE_FIELD, DECLARE_FIELD,
		   END_STRUCT)
	struct {
		KMA_CONSTANTS(DECLARE_CONSTANT)
	} constants;
};
/* clang-format on */

#undef BEGIN_STRUCT
#undef DECLARE_FIELD
#undef END_STRUCT
#undef DECLARE_CONSTANT

/*
 * Fill the layout. Refused are a schema that lacks what nothing works without,
 * and a structure whose bits mean what this version does not know.
 */
struct err *heap_layout_resolve(const struct schema *schema,
				struct heap_layout *ret) MUST_USE;

/* Call each name the target does not describe: "kma_slab.tier". */
void heap_layout_absent(const struct heap_layout *layout,
			void (*each)(void *context, const char *owner,
				     const char *name),
			void *context);

static inline uint64_t record_integer(const unsigned char *at, uint32_t size)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (size) {
	case 8:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	case 4:
		memcpy(&u32, at, sizeof(u32));
		return u32;
	case 2:
		memcpy(&u16, at, sizeof(u16));
		return u16;
	case 1:
		return *at;
	default:
		return 0;
	}
}

static inline uint64_t record_uint(const unsigned char *record,
				   const struct field *field)
{
	if (!field->present)
		return 0;
	return record_integer(record + field->offset, field->size);
}

/* Element i of an array; i is below field->count. */
static inline uint64_t record_element(const unsigned char *record,
				      const struct field *field, uint32_t i)
{
	if (!field->present || i >= field->count)
		return 0;
	return record_integer(record + field->offset +
				      (size_t)i * field->stride,
			      field->size);
}

/* Copy a text; what is not printable ASCII becomes '?'. */
void record_text(const unsigned char *record, const struct field *field,
		 char *buffer, size_t size);

#endif

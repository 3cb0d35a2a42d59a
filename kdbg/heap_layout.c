/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/heap_layout.h"

#include <inttypes.h>

/* clang-format off */
static const struct wanted_field {
	const char *owner;
	const char *name;	/* "": the structure */
	enum kma_schema_kind kind;
	uint32_t revision;	/* the newest we understand */
	size_t slot;		/* where in struct heap_layout it goes */
} wanted_fields[] = {
#define WANT_STRUCT(s, rev) \
	{ #s, "", KMA_SCHEMA_STRUCT, rev, offsetof(struct heap_layout, s.self) },
#define WANT_FIELD(s, f, kind) \
	{ #s, #f, KMA_SCHEMA_##kind, 0, offsetof(struct heap_layout, s.f) },
#define NOTHING(s)
	KMA_LAYOUT(WANT_STRUCT, WANT_FIELD, WANT_FIELD, WANT_FIELD, NOTHING)
};

static const struct wanted_constant {
	const char *name;
	size_t slot;
} wanted_constants[] = {
#define WANT_CONSTANT(name) \
	{ #name, offsetof(struct heap_layout, constants.name) },
	KMA_CONSTANTS(WANT_CONSTANT)
};

/* Without these there is no way from an address to a buffer. */
#define REQUIRED_FIELDS(FIELD)		\
	FIELD(kma_root.heap_base)	\
	FIELD(kma_root.heap_committed)	\
	FIELD(kma_root.page_map)	\
	FIELD(kma_root.caches)		\
	FIELD(kma_cache.next)		\
	FIELD(kma_cache.name)		\
	FIELD(kma_cache.bufsize)	\
	FIELD(kma_slab.cache)		\
	FIELD(kma_slab.base)		\
	FIELD(kma_slab.pages)		\
	FIELD(kma_slab.first)		\
	FIELD(kma_slab.stride)		\
	FIELD(kma_slab.buffers)		\
	FIELD(constants.KMA_PAGE_SHIFT)	\
	FIELD(constants.KMA_PAGE_SLAB_MASK) \
	FIELD(constants.KMA_PAGE_KIND_MASK) \
	FIELD(constants.KMA_PAGE_SLAB)	\
	FIELD(constants.KMA_PAGE_LARGE)
/* clang-format on */

static const size_t field_count =
	sizeof(wanted_fields) / sizeof(wanted_fields[0]);
static const size_t constant_count =
	sizeof(wanted_constants) / sizeof(wanted_constants[0]);

static const struct field *field_slot(const struct heap_layout *layout,
				      const struct wanted_field *want)
{
	return (const struct field *)((const char *)layout + want->slot);
}

static struct err *check_required(const struct heap_layout *layout)
{
#define MISSING(path) layout->path.present ? NULL : #path,
	const char *const missing[] = { REQUIRED_FIELDS(MISSING) };

	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		if (missing[i])
			return err_new(ERR_UNSUPPORTED,
				       "this target does not describe %s",
				       missing[i]);
	if (layout->constants.KMA_PAGE_SHIFT.value < 12 ||
	    layout->constants.KMA_PAGE_SHIFT.value > 30)
		return err_new(ERR_CORRUPT, "pages of 2^%" PRIu64 " bytes",
			       layout->constants.KMA_PAGE_SHIFT.value);
	return NULL;
}

/* A constant we shift by must be one; what a bufctl's word says is not known
 * without all that describe it. */
static void distrust_constants(struct heap_layout *layout)
{
	const struct constant *const word[] = {
		&layout->constants.KMA_BUFCTL_STATE_SHIFT,
		&layout->constants.KMA_BUFCTL_FAMILY_SHIFT,
		&layout->constants.KMA_BUFCTL_OFFSET_SHIFT,
		&layout->constants.KMA_BUFCTL_SIZE_SHIFT,
		&layout->constants.KMA_BUFCTL_STATE_MASK,
		&layout->constants.KMA_BUFCTL_FAMILY_MASK,
		&layout->constants.KMA_BUFCTL_OFFSET_MASK,
		&layout->constants.KMA_BUFFER_ALLOCATED,
		&layout->constants.KMA_BUFFER_FREE,
	};
	enum { SHIFTS = 4, BITS = 64 };

	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		if (!word[i]->present || (i < SHIFTS && word[i]->value >= BITS))
			layout->kma_bufctl.self.present = false;
	if (!layout->kma_bufctl.word.present)
		layout->kma_bufctl.self.present = false;
	if (layout->constants.KMA_PAGE_TIER_SHIFT.value >= BITS)
		layout->constants.KMA_PAGE_TIER_SHIFT = (struct constant){ 0 };
}

static struct err *resolve_field(const struct schema *schema,
				 const struct wanted_field *want,
				 struct field *slot)
{
	struct err *err =
		schema_find(schema, want->owner, want->name, want->kind, slot);

	if (err)
		return err;
	if (want->kind == KMA_SCHEMA_STRUCT && slot->present &&
	    slot->revision > want->revision)
		return err_new(ERR_UNSUPPORTED,
			       "%s is of revision %" PRIu32
			       ", this kdbg knows %" PRIu32,
			       want->owner, slot->revision, want->revision);
	return NULL;
}

struct err *heap_layout_resolve(const struct schema *schema,
				struct heap_layout *ret)
{
	for (size_t i = 0; i < field_count; i++) {
		const struct wanted_field *want = &wanted_fields[i];
		struct err *err = resolve_field(
			schema, want,
			(struct field *)((char *)ret + want->slot));
		if (err)
			return err;
	}
	for (size_t i = 0; i < constant_count; i++) {
		const struct wanted_constant *want = &wanted_constants[i];
		struct constant *slot =
			(struct constant *)((char *)ret + want->slot);

		slot->value = 0;
		slot->present =
			schema_constant(schema, want->name, &slot->value);
	}
	distrust_constants(ret);
	return check_required(ret);
}

void heap_layout_absent(const struct heap_layout *layout,
			void (*each)(void *context, const char *owner,
				     const char *name),
			void *context)
{
	const char *unknown = ""; /* a structure, and so its fields */

	for (size_t i = 0; i < field_count; i++) {
		const struct wanted_field *want = &wanted_fields[i];

		if (field_slot(layout, want)->present ||
		    strcmp(want->owner, unknown) == 0)
			continue;
		each(context, want->owner, want->name);
		if (want->kind == KMA_SCHEMA_STRUCT)
			unknown = want->owner;
	}
	for (size_t i = 0; i < constant_count; i++) {
		const struct constant *slot =
			(const struct constant *)((const char *)layout +
						  wanted_constants[i].slot);
		if (!slot->present)
			each(context, "", wanted_constants[i].name);
	}
}

void record_text(const unsigned char *record, const struct field *field,
		 char *buffer, size_t size)
{
	size_t length = 0;

	if (field->present)
		while (length < field->size && length < size - 1 &&
		       record[field->offset + length]) {
			unsigned char c = record[field->offset + length];
			char shown = (char)c;

			if (c < 0x20 || c > 0x7e)
				shown = '?';
			buffer[length++] = shown;
		}
	buffer[length] = '\0';
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpfmt/cursor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

void cursor_init(struct cursor *c, const void *data, size_t size,
		 const char *region)
{
	*c = (struct cursor){ .data = data, .size = size, .region = region };
}

void cursor_reject(struct cursor *c, const char *field, const char *reason)
{
	if (c->bad_field)
		return;
	c->bad_field = field;
	c->bad_reason = reason;
	c->bad_pos = c->pos;
}

static bool take(struct cursor *c, void *out, size_t size, const char *field)
{
	memset(out, 0, size);
	if (!c->bad_field && size > c->size - c->pos)
		cursor_reject(c, field, "runs past the end");
	if (c->bad_field)
		return false;
	memcpy(out, c->data + c->pos, size);
	c->pos += size;
	return true;
}

static uint64_t little_endian(const unsigned char *bytes, size_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

uint32_t cursor_u32(struct cursor *c, const char *field)
{
	unsigned char bytes[4];

	take(c, bytes, sizeof(bytes), field);
	return (uint32_t)little_endian(bytes, sizeof(bytes));
}

uint64_t cursor_u64(struct cursor *c, const char *field)
{
	unsigned char bytes[8];

	take(c, bytes, sizeof(bytes), field);
	return little_endian(bytes, sizeof(bytes));
}

void cursor_name(struct cursor *c, char *name, size_t size, const char *field)
{
	if (take(c, name, size, field) && !memchr(name, '\0', size)) {
		cursor_reject(c, field, "is not terminated");
		name[0] = '\0';
	}
}

const void *cursor_bytes(struct cursor *c, uint64_t size, const char *field)
{
	if (!c->bad_field && size > c->size - c->pos)
		cursor_reject(c, field, "runs past the end");
	if (c->bad_field)
		return NULL;
	c->pos += (size_t)size;
	return c->data + c->pos - size;
}

const char *cursor_text(struct cursor *c, const char *field)
{
	uint64_t length = cursor_u32(c, field);
	const char *text = cursor_bytes(c, length + 1, field);

	if (!text)
		return "";
	if (memchr(text, '\0', (size_t)length + 1) == text + length)
		return text;
	cursor_reject(c, field, "is not terminated");
	return "";
}

uint32_t cursor_count(struct cursor *c, size_t element_size, const char *field)
{
	assert(element_size > 0);
	uint32_t count = cursor_u32(c, field);

	if (count <= (c->size - c->pos) / element_size)
		return count;
	cursor_reject(c, field, "is more than the bytes left can hold");
	return 0;
}

struct cursor cursor_slice(struct cursor *c, uint64_t offset, uint64_t size,
			   const char *region)
{
	struct cursor part = *c;

	if (offset > c->size || size > c->size - offset)
		cursor_reject(c, region, "lies outside the file");
	if (c->bad_field)
		cursor_init(&part, NULL, 0, region);
	else
		cursor_init(&part, c->data + offset, (size_t)size, region);
	part.origin = c->origin + offset;
	part.bad_field = c->bad_field;
	part.bad_reason = c->bad_reason;
	part.bad_pos = c->bad_pos;
	return part;
}

struct err *cursor_error(const struct cursor *c)
{
	if (!c->bad_field)
		return NULL;
	return err_new(ERR_CORRUPT, "%s: %s at byte %" PRIu64 " %s", c->region,
		       c->bad_field, c->origin + c->bad_pos, c->bad_reason);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/types_names.h"

#include "kdbg/vector.h"

#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS_FIRST = 1024,
	PARTS_MAX = 32, /* of a qualified name */
};

static uint32_t hash_name(const char *name, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		if (name[i] != ' ')
			hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return hash;
}

/* As people write it: "list<int >" is "list<int>". */
static bool same_name(const char *name, const char *text, size_t length)
{
	const char *end = text + length;

	for (;;) {
		while (*name == ' ')
			name++;
		while (text < end && *text == ' ')
			text++;
		if (!*name || text == end)
			return !*name && text == end;
		if (*name++ != *text++)
			return false;
	}
}

static void link_name(struct type_names *names, uint32_t i)
{
	struct type_name *name = &names->items[i];
	uint32_t *bucket =
		&names->buckets[hash_name(name->name, strlen(name->name)) &
				(names->bucket_count - 1)];

	name->next = *bucket;
	*bucket = i;
}

static bool make_buckets(struct type_names *names, size_t count)
{
	uint32_t *buckets =
		reallocarray(names->buckets, count, sizeof(*buckets));

	if (!buckets)
		return false;
	memset(buckets, 0xff, count * sizeof(*buckets));
	names->buckets = buckets;
	names->bucket_count = count;
	for (uint32_t i = 0; i < names->count; i++)
		link_name(names, i);
	return true;
}

static uint32_t first_of_hash(const struct type_names *names, const char *name,
			      size_t length)
{
	return names
		->buckets[hash_name(name, length) & (names->bucket_count - 1)];
}

uint32_t type_names_add(struct type_names *names, const struct type_name *add)
{
	size_t length = strlen(add->name);

	for (uint32_t i = first_of_hash(names, add->name, length); i != NO_NAME;
	     i = names->items[i].next) {
		struct type_name *known = &names->items[i];

		if (known->kind != add->kind || known->parent != add->parent ||
		    !same_name(known->name, add->name, length))
			continue;
		if (known->declaration && !add->declaration) {
			known->declaration = false;
			known->die = add->die;
		}
		return i;
	}
	if (names->count == NO_NAME - 1)
		return NO_NAME;
	struct type_name *items =
		vector_grow(names->items, names->count, sizeof(*items));
	if (!items)
		return NO_NAME;
	names->items = items;
	items[names->count] = *add;
	link_name(names, names->count++);
	if (names->count > names->bucket_count)
		make_buckets(names,
			     names->bucket_count * 2); /* or it is slow */
	return names->count - 1;
}

struct part {
	const char *text;
	size_t length;
};

/* "a::b<c::d>" has the parts a and b<c::d>. 0: too many. */
static size_t split(const char *name, size_t length,
		    struct part parts[PARTS_MAX])
{
	size_t count = 0, start = 0;
	int nesting = 0;

	for (size_t i = 0; i <= length; i++) {
		bool end = i == length;

		if (!end && (name[i] == '<' || name[i] == '('))
			nesting++;
		if (!end && (name[i] == '>' || name[i] == ')'))
			nesting--;
		if (!end && (nesting || name[i] != ':' || i + 1 == length ||
			     name[i + 1] != ':'))
			continue;
		if (i > start || count) {
			if (count == PARTS_MAX)
				return 0;
			parts[count++] =
				(struct part){ name + start, i - start };
		}
		start = i + 2;
		i += !end;
	}
	return count;
}

/* Do the names around name[i] end with these parts? Scopes may be left out at
 * the front. */
static bool is_within(const struct type_names *names, uint32_t parent,
		      const struct part *parts, size_t count)
{
	while (count && parent != NO_NAME) {
		const struct type_name *scope = &names->items[parent];
		const struct part *part = &parts[count - 1];

		if (same_name(scope->name, part->text, part->length))
			count--;
		parent = scope->parent; /* else an inline namespace, say */
	}
	return count == 0;
}

static bool is_asked(const struct type_name *name, enum type_name_kind kind)
{
	return kind == NAME_ANY ? name->kind < NAME_SCOPE : name->kind == kind;
}

static const struct type_name *search(const struct type_names *names,
				      const struct part *parts, size_t count,
				      enum type_name_kind kind)
{
	const struct part *leaf = &parts[count - 1];
	const struct type_name *best = NULL;

	for (uint32_t i = first_of_hash(names, leaf->text, leaf->length);
	     i != NO_NAME; i = names->items[i].next) {
		const struct type_name *name = &names->items[i];

		if (!is_asked(name, kind) ||
		    !same_name(name->name, leaf->text, leaf->length) ||
		    !is_within(names, name->parent, parts, count - 1))
			continue;
		/* A definition, and of those what is least hidden. */
		if (!best || best->declaration > name->declaration ||
		    (best->declaration == name->declaration &&
		     name->parent == NO_NAME))
			best = name;
	}
	return best;
}

bool type_names_init(struct type_names *names)
{
	*names = (struct type_names){ 0 };
	return make_buckets(names, BUCKETS_FIRST);
}

void type_names_deinit(struct type_names *names)
{
	free(names->items);
	free(names->buckets);
}

const struct type_name *type_names_find(const struct type_names *names,
					const char *name, size_t length,
					enum type_name_kind kind)
{
	struct part parts[PARTS_MAX];
	size_t count = split(name, length, parts);

	return count ? search(names, parts, count, kind) : NULL;
}

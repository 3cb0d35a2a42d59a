/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types as C declares them: what stands before the name, and around it. */
#include "kdbg/types_declare_impl.h"
#include "kdbg/vector.h"

#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MAX = 1 << 16 };

/* --- enumerations ------------------------------------------------------- */

static void keep_enumerators(struct type *type, struct type_enumerator *list,
			     size_t count)
{
	struct type_source *source = type->source;

	source->members_known = true;
	source->enumerators =
		arena_array(&source->types->arena, count, sizeof(*list));
	if (!source->enumerators || !count)
		return;
	memcpy(source->enumerators, list, count * sizeof(*list));
	source->enumerator_count = count;
}

static bool read_enumerator(struct declarations *d,
			    struct type_enumerator *enumerator)
{
	const struct c_token name = d->tokens.token;

	if (name.kind != C_WORD) {
		declarations_fail(d, "an enumerator's name is missing");
		return false;
	}
	c_tokens_next(&d->tokens);
	declarations_attributes(d, NULL);
	if (c_tokens_take(&d->tokens, "="))
		enumerator->value = declarations_constant(d);
	enumerator->name = arena_text(&d->types->arena, name.text, name.length);
	declarations_define(d, name.text, name.length, enumerator->value);
	return !d->err && enumerator->name;
}

static void read_enumerators(struct declarations *d, struct type *type)
{
	struct type_enumerator *list = NULL, next = { 0 };
	size_t count = 0;
	bool wide = false;

	while (!d->err && !c_tokens_at(&d->tokens, "}") &&
	       count < MEMBERS_MAX) {
		if (d->tokens.token.kind == C_DEFINE) {
			declarations_read_define(d);
			continue;
		}
		struct type_enumerator *more =
			vector_grow(list, count, sizeof(*list));

		if (!more)
			break;
		list = more;
		if (!read_enumerator(d, &next))
			break;
		list[count++] = next;
		type->is_signed |= next.value < 0;
		wide |= next.value > UINT32_MAX || next.value < INT32_MIN;
		next.value = (int64_t)((uint64_t)next.value + 1);
		if (!c_tokens_take(&d->tokens, ","))
			break;
	}
	declarations_expect(d, "}");
	if (!type->declaration)
		declarations_fail(d, "enum %s is defined within itself",
				  type->name);
	type->size = wide ? 8 : 4;
	type->declaration = false;
	keep_enumerators(type, list, count);
	free(list);
}

/* --- structures --------------------------------------------------------- */

struct body {
	struct layout layout;
	struct type_member *members;
	size_t count;
};

static void add_member(struct declarations *d, struct body *body,
		       struct type_member *member, bool is_bitfield,
		       uint64_t width)
{
	struct type_member *members =
		vector_grow(body->members, body->count, sizeof(*members));

	if (!members || body->count == MEMBERS_MAX) {
		declarations_fail(d, "too many members");
		return;
	}
	body->members = members;
	if (!layout_place(&body->layout, member, is_bitfield, width)) {
		char text[256];

		type_format(member->type, text, sizeof(text));
		declarations_fail(d, "member %s of type %s cannot be placed",
				  member->name ? member->name : "", text);
		return;
	}
	if (member->name || !is_bitfield)
		members[body->count++] = *member;
}

/* One name of "int a, *b : 3;". */
static void read_member(struct declarations *d, struct body *body,
			struct type *type)
{
	struct type_member member = { 0 };
	bool is_bitfield;
	uint64_t width = 0;

	member.type = declarations_declarator(d, type, &member.name);
	is_bitfield = c_tokens_take(&d->tokens, ":");
	if (is_bitfield)
		width = (uint64_t)declarations_constant(d);
	declarations_attributes(d, NULL);
	if (!d->err && width > 64)
		declarations_fail(d, "a bitfield has 64 bits at most");
	if (d->err)
		return;
	/* "struct tag;" alone declares no member, "struct { ... };" does. */
	if (member.name || is_bitfield ||
	    (type_is_aggregate(type) && !type->name))
		add_member(d, body, &member, is_bitfield, width);
}

static void read_members(struct declarations *d, struct body *body)
{
	while (!d->err && !c_tokens_at(&d->tokens, "}") &&
	       d->tokens.token.kind != C_END) {
		if (d->tokens.token.kind == C_DEFINE) {
			declarations_read_define(d);
			continue;
		}
		struct type *type = declarations_specifiers(d, NULL);

		do
			if (!d->err)
				read_member(d, body, type);
		while (!d->err && c_tokens_take(&d->tokens, ","));
		declarations_expect(d, ";");
	}
	declarations_expect(d, "}");
}

/* packed may stand behind the members it is about: read them twice. */
static void read_structure(struct declarations *d, struct type *type,
			   struct attributes *attributes)
{
	const struct c_tokens start = d->tokens;
	struct attributes behind = *attributes;

	c_tokens_skip_brackets(&d->tokens);
	declarations_attributes(d, &behind);
	const struct c_tokens end = d->tokens;

	d->tokens = start;
	c_tokens_next(&d->tokens);
	struct body body = { .layout = { .is_union = type->kind == TYPE_UNION,
					 .packed = behind.packed,
					 .alignment = 1 } };
	if (behind.aligned)
		body.layout.alignment = behind.aligned;
	read_members(d, &body);
	if (!d->err)
		d->tokens = end;
	if (!type->declaration)
		declarations_fail(d, "struct %s is defined within itself",
				  type->name);
	if (d->err) {
		free(body.members);
		return;
	}
	type->size = layout_size(&body.layout);
	type->declaration = false;
	type->source->members_known = true;
	type->source->members = arena_array(&d->types->arena, body.count,
					    sizeof(*body.members));
	if (type->source->members && body.count) {
		memcpy(type->source->members, body.members,
		       body.count * sizeof(*body.members));
		type->source->member_count = body.count;
	}
	free(body.members);
}

/* --- tags --------------------------------------------------------------- */

static struct type *declared_here(struct declarations *d, const char *name,
				  enum type_name_kind kind)
{
	for (struct declared_type *known = d->types->declared; known;
	     known = known->next)
		if (known->kind == kind && strcmp(known->name, name) == 0)
			return known->type;
	return NULL;
}

/* The type that a tag stands for; to_define: one to be filled in. */
static struct type *tagged(struct declarations *d, enum type_kind kind,
			   enum type_name_kind names, const char *name,
			   bool to_define)
{
	struct type *known = name ? declared_here(d, name, names) : NULL;

	if (known && (known->declaration || !to_define))
		return known;
	if (name && !to_define)
		known = types_named(d->types, name, strlen(name), names);
	if (known && !to_define)
		return known; /* else it is defined anew */
	struct type *type = types_new(d->types, kind, name, 0);
	if (type == &d->types->bad) {
		declarations_fail(d, "out of memory");
		return type;
	}
	type->declaration = true;
	if (name)
		declarations_add(d, name, names, type);
	return type;
}

static struct type *read_tag(struct declarations *d, enum type_kind kind,
			     enum type_name_kind names)
{
	struct attributes attributes = { 0 };
	const char *name = NULL;

	declarations_attributes(d, &attributes);
	if (d->tokens.token.kind == C_WORD) {
		name = arena_text(&d->types->arena, d->tokens.token.text,
				  d->tokens.token.length);
		c_tokens_next(&d->tokens);
	}
	bool body = c_tokens_at(&d->tokens, "{");
	if (!body && !name)
		declarations_fail(d, "a name or { is missing");
	if (d->err || !declarations_enter(d))
		return &d->types->bad;
	struct type *type = tagged(d, kind, names, name, body);
	if (body && !d->err && kind == TYPE_ENUM) {
		c_tokens_next(&d->tokens);
		read_enumerators(d, type);
	} else if (body && !d->err) {
		read_structure(d, type, &attributes);
	}
	d->depth--;
	return type;
}

/* --- specifiers --------------------------------------------------------- */

static bool take_ignored(struct declarations *d, struct attributes *attributes)
{
	static const char *const ignored[] = {
		"const",    "volatile",      "restrict",  "__restrict",
		"extern",   "static",        "inline",    "__inline",
		"register", "__extension__", "_Noreturn", "__inline__",
		"typedef",
	};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (c_tokens_take(&d->tokens, ignored[i]))
			return true;
	if (!c_tokens_at(&d->tokens, "__attribute__") &&
	    !c_tokens_at(&d->tokens, "_Alignas"))
		return false;
	declarations_attributes(d, attributes);
	return true;
}

static struct type *read_typedef_name(struct declarations *d)
{
	const struct c_token token = d->tokens.token;
	struct type *type =
		types_named(d->types, token.text, token.length, NAME_ORDINARY);

	if (!type)
		type = types_builtin(d->types, token.text, token.length);
	if (!type) {
		declarations_fail(d, "no type %.*s is known", (int)token.length,
				  token.text);
		return &d->types->bad;
	}
	c_tokens_next(&d->tokens);
	return type;
}

struct type *declarations_specifiers(struct declarations *d,
				     struct attributes *attributes)
{
	struct type_words words = { 0 };
	struct type *type = NULL;
	bool said = false;
	unsigned *word;

	while (!d->err && d->tokens.token.kind == C_WORD) {
		if (take_ignored(d, attributes))
			continue;
		if (c_tokens_take(&d->tokens, "struct"))
			type = read_tag(d, TYPE_STRUCT, NAME_STRUCT);
		else if (c_tokens_take(&d->tokens, "union"))
			type = read_tag(d, TYPE_UNION, NAME_UNION);
		else if (c_tokens_take(&d->tokens, "enum"))
			type = read_tag(d, TYPE_ENUM, NAME_ENUM);
		else if ((word = type_word(&words, d->tokens.token.text,
					   d->tokens.token.length))) {
			++*word;
			said = true;
			c_tokens_next(&d->tokens);
		} else if (type || said)
			break; /* the name that is declared */
		else
			type = read_typedef_name(d);
	}
	if (!type && said) {
		const char *name = type_words_name(&words);

		type = types_builtin(d->types, name, strlen(name));
	}
	if (!type && !d->err)
		declarations_fail(d, "a type is missing");
	return type ? type : &d->types->bad;
}

/* --- declarators -------------------------------------------------------- */

/* Parameters are not kept: what a function is called with, no dump tells. */
static struct type *read_parameters(struct declarations *d,
				    struct type *returns)
{
	struct type *type = types_new(d->types, TYPE_FUNCTION, NULL, 0);

	c_tokens_skip_brackets(&d->tokens);
	if (type != &d->types->bad) {
		type->source->target = returns;
		type->source->target_known = true;
		type->source->members_known = true;
	}
	return type;
}

/* [4][2]: the last dimension is the innermost. */
static struct type *read_suffixes(struct declarations *d, struct type *type)
{
	uint64_t count = 0;
	bool flexible;

	if (c_tokens_at(&d->tokens, "("))
		return read_parameters(d, type);
	if (!c_tokens_take(&d->tokens, "["))
		return type;
	if (!declarations_enter(d))
		return type;
	flexible = c_tokens_at(&d->tokens, "]");
	if (!flexible)
		count = (uint64_t)declarations_constant(d);
	declarations_expect(d, "]");
	type = read_suffixes(d, type);
	type = flexible ? type_flexible_array_of(d->types, type)
			: type_array_of(d->types, type, count);
	d->depth--;
	return type;
}

static bool begins_declarator(const struct c_tokens *tokens)
{
	struct c_tokens inner = *tokens;

	if (!c_tokens_take(&inner, "("))
		return false;
	return c_tokens_at(&inner, "*") || c_tokens_at(&inner, "(") ||
	       c_tokens_at(&inner, "__attribute__");
}

/* In (*name)(int) what is inside the parentheses is made of what follows them:
 * that is read first. */
static struct type *read_nested(struct declarations *d, struct type *type,
				const char **name)
{
	const struct c_tokens start = d->tokens;

	c_tokens_skip_brackets(&d->tokens);
	type = read_suffixes(d, type);
	const struct c_tokens end = d->tokens;
	d->tokens = start;
	c_tokens_next(&d->tokens);
	type = declarations_declarator(d, type, name);
	declarations_expect(d, ")");
	if (!d->err)
		d->tokens = end;
	return type;
}

struct type *declarations_declarator(struct declarations *d, struct type *type,
				     const char **name)
{
	*name = NULL;
	if (!declarations_enter(d))
		return type;
	declarations_attributes(d, NULL);
	for (;;) {
		if (c_tokens_take(&d->tokens, "*"))
			type = type_pointer_to(d->types, type);
		else if (!take_ignored(d, NULL))
			break;
	}
	if (begins_declarator(&d->tokens)) {
		type = read_nested(d, type, name);
	} else {
		if (d->tokens.token.kind == C_WORD) {
			*name = arena_text(&d->types->arena,
					   d->tokens.token.text,
					   d->tokens.token.length);
			c_tokens_next(&d->tokens);
		}
		type = read_suffixes(d, type);
	}
	declarations_attributes(d, NULL);
	d->depth--;
	return type;
}

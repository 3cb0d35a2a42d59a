/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/types_declare.h"

#include "kdbg/types_declare_impl.h"
#include "kdbg/vector.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, ALIGNED_DEFAULT = 16, ALIGNED_MAX = 1 << 16 };

/* --- the reader --------------------------------------------------------- */

void declarations_fail(struct declarations *d, const char *fmt, ...)
{
	va_list args;
	char text[256];

	if (d->err)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->err = err_new(ERR_USAGE, "line %u: %s", d->tokens.line, text);
}

void declarations_expect(struct declarations *d, const char *sign)
{
	if (d->err || c_tokens_take(&d->tokens, sign))
		return;
	declarations_fail(d, "%s expected before '%.*s'", sign,
			  (int)d->tokens.token.length, d->tokens.token.text);
}

bool declarations_enter(struct declarations *d)
{
	if (!d->err && d->depth < DEPTH_MAX) {
		d->depth++;
		return true;
	}
	declarations_fail(d, "nested too deeply");
	return false;
}

void declarations_add(struct declarations *d, const char *name,
		      enum type_name_kind kind, struct type *type)
{
	struct declared_type *declared =
		arena_alloc(&d->types->arena, sizeof(*declared));

	if (!declared) {
		declarations_fail(d, "out of memory");
		return;
	}
	*declared =
		(struct declared_type){ name, kind, type, d->types->declared };
	d->types->declared = declared;
	d->count++;
}

/* --- attributes --------------------------------------------------------- */

static void read_attribute(struct declarations *d,
			   struct attributes *attributes)
{
	bool aligned = c_tokens_at(&d->tokens, "aligned") ||
		       c_tokens_at(&d->tokens, "__aligned__");

	if (c_tokens_at(&d->tokens, "packed") ||
	    c_tokens_at(&d->tokens, "__packed__"))
		attributes->packed = true;
	c_tokens_next(&d->tokens);
	if (!aligned)
		return;
	attributes->aligned = ALIGNED_DEFAULT;
	if (!c_tokens_take(&d->tokens, "("))
		return;
	attributes->aligned = (uint64_t)declarations_constant(d);
	if (!d->err &&
	    (!attributes->aligned || attributes->aligned > ALIGNED_MAX))
		declarations_fail(d, "not an alignment");
	declarations_expect(d, ")");
}

void declarations_attributes(struct declarations *d,
			     struct attributes *attributes)
{
	struct attributes ignored = { 0 };
	unsigned depth = 0;

	if (!attributes)
		attributes = &ignored;
	while (!d->err && (c_tokens_take(&d->tokens, "__attribute__") ||
			   c_tokens_take(&d->tokens, "_Alignas") ||
			   c_tokens_take(&d->tokens, "__asm__")))
		do {
			if (c_tokens_at(&d->tokens, "("))
				depth++;
			else if (c_tokens_at(&d->tokens, ")"))
				depth--;
			else if (d->tokens.token.kind == C_WORD) {
				read_attribute(d, attributes);
				continue;
			}
			c_tokens_next(&d->tokens);
		} while (!d->err && depth && d->tokens.token.kind != C_END);
}

/* --- declarations ------------------------------------------------------- */

/* To behind the ; or the function's body. */
static void skip_declaration(struct declarations *d)
{
	while (d->tokens.token.kind != C_END) {
		if (c_tokens_at(&d->tokens, "{")) {
			c_tokens_skip_brackets(&d->tokens);
			c_tokens_take(&d->tokens, ";");
			return;
		}
		if (c_tokens_at(&d->tokens, "(")) {
			c_tokens_skip_brackets(&d->tokens);
			continue;
		}
		if (c_tokens_take(&d->tokens, ";"))
			return;
		c_tokens_next(&d->tokens);
	}
}

static void read_typedef(struct declarations *d)
{
	struct type *base = declarations_specifiers(d, NULL);

	do {
		const char *name = NULL;
		struct type *target =
			d->err ? base : declarations_declarator(d, base, &name);

		if (d->err)
			return;
		if (!name) {
			declarations_fail(d, "the new type's name is missing");
			return;
		}
		struct type *type = types_new(d->types, TYPE_TYPEDEF, name, 0);
		if (type == &d->types->bad)
			return;
		type->source->target = target;
		type->source->target_known = true;
		declarations_add(d, name, NAME_ORDINARY, type);
	} while (c_tokens_take(&d->tokens, ","));
	declarations_expect(d, ";");
}

/* "struct foo { ... };", and what is declared with it is passed over. */
static void read_definition(struct declarations *d)
{
	declarations_specifiers(d, NULL);
	if (!d->err)
		skip_declaration(d);
}

/* #define NAME 42: a constant; anything else is passed over, and whatever types
 * it seemed to declare. */
void declarations_read_define(struct declarations *d)
{
	const struct c_token line = d->tokens.token;
	struct declared_type *declared = d->types->declared;
	const struct c_constant *constants = d->types->constants;
	struct declarations inner = { .types = d->types };
	char *text = strndup(line.text, line.length);

	c_tokens_next(&d->tokens);
	if (!text)
		return;
	c_tokens_init(&inner.tokens, text);
	inner.tokens.begins_line = false;
	const struct c_token name = inner.tokens.token;
	bool plain = name.kind == C_WORD && *inner.tokens.at != '(';
	c_tokens_next(&inner.tokens);
	if (plain && inner.tokens.token.kind != C_END) {
		int64_t value = declarations_constant(&inner);

		if (!inner.err && inner.tokens.token.kind == C_END) {
			declarations_define(d, name.text, name.length, value);
			d->count += inner.count;
			declared = d->types->declared;
			constants = d->types->constants;
		}
	}
	d->types->declared = declared;
	d->types->constants = constants;
	err_free(inner.err);
	free(text);
}

static bool defines_tag(const struct c_tokens *tokens)
{
	return c_tokens_at(tokens, "struct") || c_tokens_at(tokens, "union") ||
	       c_tokens_at(tokens, "enum");
}

static void read_external(struct declarations *d)
{
	if (d->tokens.token.kind == C_DEFINE)
		declarations_read_define(d);
	else if (c_tokens_take(&d->tokens, "__extension__") ||
		 c_tokens_take(&d->tokens, ";") ||
		 c_tokens_take(&d->tokens, "}"))
		; /* the end of extern "C" { */
	else if (c_tokens_take(&d->tokens, "typedef"))
		read_typedef(d);
	else if (defines_tag(&d->tokens))
		read_definition(d);
	else if (c_tokens_take(&d->tokens, "extern") &&
		 d->tokens.token.kind == C_TEXT) {
		c_tokens_next(&d->tokens);
		c_tokens_take(&d->tokens, "{");
	} else
		skip_declaration(d);
}

static struct err *keep_text(struct types *types, const char *text)
{
	const char **texts =
		vector_grow(types->texts, types->text_count, sizeof(*texts));
	const char *kept = arena_text(&types->arena, text, strlen(text));

	if (texts)
		types->texts = texts;
	if (!texts || !kept)
		return err_new(ERR_NO_MEMORY, "out of memory");
	texts[types->text_count++] = kept;
	return NULL;
}

struct err *types_declare(struct types *types, const char *text, size_t *count)
{
	struct declared_type *before = types->declared;
	const struct c_constant *constants = types->constants;
	struct declarations d = { .types = types };

	c_tokens_init(&d.tokens, text);
	while (!d.err && d.tokens.token.kind != C_END)
		read_external(&d);
	if (!d.err && d.count)
		d.err = keep_text(types, text);
	if (d.err) {
		types->declared = before;
		types->constants = constants;
	}
	*count = d.err ? 0 : d.count;
	return d.err;
}

size_t types_declared_texts(const struct types *types, const char *const **ret)
{
	*ret = types->texts;
	return types->text_count;
}

void types_forget_declared(struct types *types)
{
	types->declared = NULL;
	types->constants = NULL;
	types->text_count = 0;
}

void types_each_declared(struct types *types,
			 void (*each)(void *context, const char *name,
				      struct type *type),
			 void *context)
{
	char text[512];

	for (struct declared_type *known = types->declared; known;
	     known = known->next) {
		if (known->kind == NAME_ORDINARY)
			snprintf(text, sizeof(text), "%s", known->name);
		else
			type_format(known->type, text, sizeof(text));
		each(context, text, known->type);
	}
}

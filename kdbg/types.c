/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/types.h"

#include "kdbg/types_impl.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err *types_create(struct symbols *symbols, struct types **ret)
{
	struct types *types = calloc(1, sizeof(*types));
	struct symbols_dwarf facts;
	size_t count = 0;

	if (!types)
		return err_new(ERR_NO_MEMORY, "types");
	while (symbols_module(symbols, count, &facts))
		count++;
	types->symbols = symbols;
	types->nothing = (struct type){ .kind = TYPE_VOID };
	types->bad = (struct type){ .kind = TYPE_OPAQUE, .name = "<bad type>" };
	types->modules = calloc(count + 1, sizeof(*types->modules));
	if (!types->modules) {
		free(types);
		return err_new(ERR_NO_MEMORY, "types");
	}
	types->module_count = count;
	*ret = types;
	return NULL;
}

void types_destroy(struct types *types)
{
	if (!types)
		return;
	for (size_t i = 0; i < types->module_count; i++)
		type_index_destroy(types->modules[i].index);
	free(types->modules);
	memo_deinit(&types->made);
	memo_deinit(&types->derived);
	free(types->texts);
	arena_deinit(&types->arena);
	free(types);
}

struct type_index *types_module_index(struct types *types,
				      struct type_module *module)
{
	if (module->opened)
		return module->index;
	module->opened = true;
	if (!symbols_dwarf(types->symbols, (size_t)(module - types->modules),
			   &module->facts))
		return NULL;
	module->index = type_index_create(module->facts.dwarf);
	return module->index;
}

struct type *types_new(struct types *types, enum type_kind kind,
		       const char *name, uint64_t size)
{
	struct type *type = arena_alloc(&types->arena, sizeof(*type));
	struct type_source *source =
		arena_alloc(&types->arena, sizeof(*source));

	if (!type || !source)
		return &types->bad;
	source->types = types;
	type->source = source;
	type->kind = kind;
	type->name = name;
	type->size = size;
	return type;
}

/* --- by name ------------------------------------------------------------ */

static struct type *declared(const struct types *types, const char *name,
			     size_t length, enum type_name_kind kind)
{
	for (const struct declared_type *known = types->declared; known;
	     known = known->next)
		if ((kind == NAME_ANY || known->kind == kind) &&
		    strncmp(known->name, name, length) == 0 &&
		    !known->name[length])
			return known->type;
	return NULL;
}

struct type *types_named(struct types *types, const char *name, size_t length,
			 enum type_name_kind kind)
{
	struct type *type = declared(types, name, length, kind);

	for (size_t i = 0; i < types->module_count; i++) {
		struct type_module *module = &types->modules[i];
		struct type_index *index;
		const struct type_name *found;

		if (type && !type->declaration)
			return type;
		index = types_module_index(types, module);
		found = index ? type_index_find(index, name, length, kind)
			      : NULL;
		if (!found || (type && found->declaration))
			continue;
		Dwarf_Die die = found->die;
		type = found->kind == NAME_VARIABLE
			       ? types_type_of(types, module, &die)
			       : types_of_die(types, module, &die);
	}
	return type;
}

/* --- variables ---------------------------------------------------------- */

struct type_module *types_module_holding(struct types *types, uint64_t address)
{
	for (size_t i = 0; i < types->module_count; i++) {
		struct symbols_dwarf facts;

		if (symbols_module(types->symbols, i, &facts) &&
		    address >= facts.base && address < facts.end)
			return &types->modules[i];
	}
	return NULL;
}

static bool variable_in(struct types *types, struct type_module *module,
			uint64_t address, struct type **ret, uint64_t *offset)
{
	struct type_index *index = types_module_index(types, module);
	const Dwarf_Die *found;
	uint64_t start, size;

	if (!index)
		return false;
	uint64_t at = address - module->facts.bias;
	found = type_index_variable(index, at, &start);
	if (!found)
		return false;
	Dwarf_Die die = *found;
	*ret = types_type_of(types, module, &die);
	*offset = at - start;
	return type_size(*ret, &size) ? *offset < size || !*offset : !*offset;
}

/* The declaration that another module has of it: extern FILE *stdout. */
static bool variable_elsewhere(struct types *types, uint64_t address,
			       struct type **ret, uint64_t *offset)
{
	struct symbol symbol;

	if (!symbols_at_then(types->symbols, address, 0, &symbol) ||
	    !symbol.linkage || (symbol.size && symbol.offset >= symbol.size))
		return false;
	size_t length = strcspn(symbol.linkage, "@");
	*ret = types_named(types, symbol.linkage, length, NAME_VARIABLE);
	*offset = symbol.offset;
	return *ret != NULL;
}

bool types_variable_at(struct types *types, uint64_t address, struct type **ret,
		       uint64_t *offset)
{
	struct type_module *module = types_module_holding(types, address);

	if (module && variable_in(types, module, address, ret, offset))
		return true;
	return variable_elsewhere(types, address, ret, offset);
}

bool types_variable_named(struct types *types, const char *name,
			  struct type **ret)
{
	*ret = types_named(types, name, strlen(name), NAME_VARIABLE);
	return *ret != NULL;
}

/* --- completion --------------------------------------------------------- */

static const char *keyword_of(enum type_name_kind kind)
{
	switch (kind) {
	case NAME_STRUCT:
		return "struct ";
	case NAME_UNION:
		return "union ";
	case NAME_ENUM:
		return "enum ";
	default:
		return "";
	}
}

void types_complete(struct types *types, const char *prefix,
		    void (*found)(void *context, const char *name),
		    void *context)
{
	char text[512];

	for (size_t i = 0; i < types->module_count; i++) {
		struct type_index *index =
			types_module_index(types, &types->modules[i]);
		const struct type_name *names = NULL;
		size_t count = index ? type_index_names(index, &names) : 0;

		for (size_t j = 0; j < count; j++) {
			if (names[j].kind >= NAME_SCOPE)
				continue;
			snprintf(text, sizeof(text), "%s%s",
				 keyword_of(names[j].kind), names[j].name);
			if (strncmp(text, prefix, strlen(prefix)) == 0)
				found(context, text);
		}
	}
}

/* --- what a type says of itself ----------------------------------------- */

bool type_is_aggregate(const struct type *type)
{
	return type->kind == TYPE_STRUCT || type->kind == TYPE_CLASS ||
	       type->kind == TYPE_UNION;
}

bool type_is_scalar(const struct type *type)
{
	switch (type->kind) {
	case TYPE_INTEGER:
	case TYPE_CHARACTER:
	case TYPE_BOOLEAN:
	case TYPE_REAL:
	case TYPE_POINTER:
	case TYPE_REFERENCE:
	case TYPE_ENUM:
		return true;
	default:
		return false;
	}
}

struct type *type_target(struct type *type)
{
	struct type_source *source = type->source;

	if (!source)
		return type; /* void of nothing, and what is bad */
	if (!source->target_known && source->module)
		source->target = types_type_of(source->types, source->module,
					       &source->die);
	source->target_known = true;
	return source->target ? source->target : &source->types->nothing;
}

static enum type_name_kind name_kind(const struct type *type)
{
	if (type->kind == TYPE_ENUM)
		return NAME_ENUM;
	return type->kind == TYPE_UNION ? NAME_UNION : NAME_STRUCT;
}

/* A declaration's definition is kept as its target. */
static struct type *defined(struct type *type)
{
	struct type_source *source = type->source;

	if (!type->declaration || !source || !type->name)
		return type;
	if (!source->target_known) {
		source->target_known = true;
		source->target =
			types_named(source->types, type->name,
				    strlen(type->name), name_kind(type));
	}
	return source->target ? source->target : type;
}

struct type *type_peel(struct type *type)
{
	for (int i = 0; i < TYPE_STEPS_MAX; i++)
		switch (type->kind) {
		case TYPE_TYPEDEF:
		case TYPE_CONST:
		case TYPE_VOLATILE:
		case TYPE_QUALIFIED:
			type = type_target(type);
			break;
		default:
			return defined(type);
		}
	return &type->source->types->bad;
}

static bool size_within(struct type *type, unsigned depth, uint64_t *ret)
{
	uint64_t element;

	type = type_peel(type);
	if (type->kind != TYPE_ARRAY) {
		*ret = type->size;
		return type->size != 0 ||
		       (type_is_aggregate(type) && !type->declaration);
	}
	if (type->size) {
		*ret = type->size;
		return true;
	}
	if (depth == TYPE_STEPS_MAX ||
	    !size_within(type_target(type), depth + 1, &element))
		return false;
	return !__builtin_mul_overflow(element, type->count, ret);
}

bool type_size(struct type *type, uint64_t *ret)
{
	return size_within(type, 0, ret);
}

size_t type_members(struct type *type, const struct type_member **ret)
{
	struct type_source *source = type->source;

	*ret = NULL;
	if (!source)
		return 0;
	if (!source->members_known) {
		source->members_known = true;
		types_read_members(type);
	}
	*ret = source->members;
	return source->member_count;
}

size_t type_enumerators(struct type *type, const struct type_enumerator **ret)
{
	struct type_source *source = type->source;

	*ret = NULL;
	if (!source)
		return 0;
	if (!source->members_known) {
		source->members_known = true;
		types_read_enumerators(type);
	}
	*ret = source->enumerators;
	return source->enumerator_count;
}

static bool is_derived_so(const struct type *type, enum type_kind kind,
			  const struct type *target, uint64_t count)
{
	return type->kind == kind && type->count == count &&
	       type->source->target == target && !type->flexible;
}

/* One for each target and count, however often it is asked for: a pipe may ask
 * for that of each of a million vectors. */
static struct type *derived(struct types *types, enum type_kind kind,
			    struct type *target, uint64_t count)
{
	uint64_t key = ((uintptr_t)target ^ (uint64_t)kind) +
		       count * UINT64_C(0x9e3779b97f4a7c15);
	struct type *known = (struct type *)memo_get(&types->derived, key);

	if (known && is_derived_so(known, kind, target, count))
		return known;
	struct type *type = types_new(types, kind, NULL, 0);
	if (type == &types->bad)
		return type;
	type->count = count;
	type->source->target = target;
	type->source->target_known = true;
	if (!known) /* another one with the same key: this one is not kept */
		memo_put(&types->derived, key, type);
	return type;
}

struct type *type_pointer_to(struct types *types, struct type *type)
{
	struct type *pointer = derived(types, TYPE_POINTER, type, 0);

	if (pointer != &types->bad)
		pointer->size = sizeof(uint64_t);
	return pointer;
}

struct type *type_array_of(struct types *types, struct type *type,
			   uint64_t count)
{
	return derived(types, TYPE_ARRAY, type, count);
}

struct type *type_flexible_array_of(struct types *types, struct type *type)
{
	struct type *array = types_new(types, TYPE_ARRAY, NULL, 0);

	if (array == &types->bad)
		return array;
	array->flexible = true;
	array->source->target = type;
	array->source->target_known = true;
	return array;
}

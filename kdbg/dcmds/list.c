/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::array and ::list - the addresses of what lies side by side, or is linked.
 *
 * A list is followed until its link is NULL, leads back to the first element,
 * cannot be read, or leads to an element that was met before: damaged lists
 * end in circles.
 */
#include "kdbg/address_set.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/type_words.h"
#include "kdbg/variables.h"

#include <inttypes.h>

static const struct column list_columns[] = { { "ADDR", VALUE_ADDRESS } };

static const struct table list_tables[] = {
	{ "default", list_columns, 1, .no_header = true },
};

static struct err *yield(const struct dcmd_call *call, const char *variable,
			 uint64_t address, struct sink *out)
{
	struct err *err = NULL;

	if (variable)
		err = variables_set(call->session->variables, variable,
				    address);
	if (!err)
		SINK_ROW(out, ADDRESS(address));
	return err;
}

static bool goes_on(const struct dcmd_call *call, const struct sink *out)
{
	return !out->failed && !session_interrupted(call->session);
}

/* Type and count; or, of a variable that is an array, neither. */
static struct err *array_words(const struct dcmd_call *call,
			       struct type_place *array, uint64_t *count,
			       int *used)
{
	struct types *types;
	struct err *err = session_types(call->session, &types);

	if (!err)
		err = type_place_of_words(call->session, true, call->address,
					  call->argc, call->argv, array, used);
	if (err)
		return err;
	struct type *type = type_peel(array->type);
	if (*used == 0 && type->kind == TYPE_ARRAY) {
		*count = type->count;
		return NULL;
	}
	if (*used >= call->argc)
		return err_new(ERR_USAGE, "how many?");
	array->type = type_array_of(types, array->type, 0);
	return session_evaluate(call->session, call->argv[(*used)++], count);
}

static struct err *array_run(const struct dcmd_call *call, struct sink *out)
{
	const char *variable = NULL;
	struct type_place array, element;
	uint64_t count;
	int used = 0;
	struct err *err = array_words(call, &array, &count, &used);

	if (!err && used < call->argc)
		variable = call->argv[used++];
	if (!err && used < call->argc)
		err = err_new(ERR_USAGE, "too many words");
	for (uint64_t i = 0; !err && i < count && goes_on(call, out); i++) {
		err = type_place_element(&array, i, &element);
		if (!err)
			err = yield(call, variable, element.address, out);
	}
	return err;
}

/* --- lists -------------------------------------------------------------- */

struct list {
	struct type_place element;
	const char *member;
	const char *variable;
};

static struct err *list_words(const struct dcmd_call *call, struct list *list)
{
	int used = 0;
	struct err *err = type_place_of_words(
		call->session, call->has_address, call->address, call->argc,
		call->argv, &list->element, &used);

	if (!err && !call->has_address && !list->element.address)
		err = err_new(
			ERR_USAGE,
			"needs the address of the first element before ::");
	if (err)
		return err;
	if (type_peel(list->element.type)->kind == TYPE_POINTER) {
		/* A variable that points to the first. */
		struct type *pointer = type_peel(list->element.type);

		err = type_place_number(call->session, &list->element,
					&list->element.address);
		list->element.type = type_target(pointer);
	}
	if (err)
		return err;
	if (used >= call->argc)
		return err_new(ERR_USAGE, "which member is the link?");
	list->member = call->argv[used++];
	list->variable = used < call->argc ? call->argv[used++] : NULL;
	return used < call->argc ? err_new(ERR_USAGE, "too many words") : NULL;
}

static struct err *next_of(const struct dcmd_call *call,
			   const struct list *list, uint64_t address,
			   uint64_t *next)
{
	struct type_place place = list->element;
	struct err *err;

	place.address = address;
	err = type_place_follow(call->session, list->member, &place);
	return err ? err : type_place_number(call->session, &place, next);
}

static struct err *list_run(const struct dcmd_call *call, struct sink *out)
{
	struct address_set met = { 0 };
	struct list list = { 0 };
	struct err *err = list_words(call, &list);
	uint64_t first = list.element.address;
	uint64_t address = first;

	while (!err && address && goes_on(call, out)) {
		uint64_t next = 0;

		if (!address_set_add(&met, address)) {
			sink_note(out,
				  "the list does not end: it comes back to "
				  "%" PRIx64,
				  address);
			break;
		}
		err = yield(call, list.variable, address, out);
		if (!err)
			err = next_of(call, &list, address, &next);
		address = next == first ? 0 : next;
	}
	address_set_deinit(&met);
	return err;
}

const struct dcmd dcmd_array = {
	.name = "array",
	.summary = "the address of each element of an array",
	.help = "The array begins at the address and has count elements of the "
		"type. Of a variable that is an array, both are known and may "
		"be left out. With a variable of kdbg's, each address is also "
		"its value while the rest of the pipeline runs.",
	.example = "<sp::array 'unsigned long' 4 | ::map *.",
	.arguments = "[type count] [variable]",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "array",
	.tables = list_tables,
	.table_count = 1,
	.run = array_run,
};

const struct dcmd dcmd_list = {
	.name = "list",
	.summary = "follow a linked list: the address of each element",
	.help = "Begins with the element at the address and follows the "
		"member that links to the next one, until it is 0 or leads "
		"back to the first. A list that runs into a circle of its own "
		"is followed once around, and that is told; a link that cannot "
		"be read is an error behind the elements found.\n\n"
		"Of a variable the type is known, and of one that points to "
		"the first element what it points to. The member may be a "
		"path: links.next.",
	.example = "::walk kmem_cache | ::head -n 1 | "
		   "::list 'struct kma_cache' next",
	.arguments = "[type] member [variable]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "first element",
	.tables = list_tables,
	.table_count = 1,
	.run = list_run,
};

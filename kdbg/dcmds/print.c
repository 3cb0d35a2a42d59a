/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::print - memory as its type says. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/print_tree.h"
#include "kdbg/type_words.h"

#include <string.h>

static const struct option print_options[] = {
	{ 'a', "address", OPTION_FLAG,
	  offsetof(struct print_options, addresses), NULL,
	  "each line begins with its address" },
	{ 'C', NULL, OPTION_FLAG,
	  offsetof(struct print_options, all_characters), NULL,
	  "strings without limit" },
	{ 'c', "characters", OPTION_NUMBER,
	  offsetof(struct print_options, characters), "n",
	  "at most n characters of a string (::set array_str_limit)" },
	{ 'd', "decimal", OPTION_FLAG, offsetof(struct print_options, decimal),
	  NULL, "integers in decimal, with their sign" },
	{ 'h', "holes", OPTION_FLAG, offsetof(struct print_options, holes),
	  NULL, "show the holes between members" },
	{ 'i', "immediate", OPTION_FLAG,
	  offsetof(struct print_options, immediate), NULL,
	  "the address is the value itself, not where it lies" },
	{ 'L', NULL, OPTION_FLAG, offsetof(struct print_options, all_elements),
	  NULL, "arrays without limit" },
	{ 'l', "elements", OPTION_NUMBER,
	  offsetof(struct print_options, elements), "n",
	  "at most n elements of an array (::set array_mem_limit)" },
	{ 'n', "no-symbols", OPTION_FLAG,
	  offsetof(struct print_options, no_symbols), NULL,
	  "pointers as numbers, not as symbols" },
	{ 0, "raw", OPTION_FLAG, offsetof(struct print_options, raw), NULL,
	  "containers and pointers of the C++ library as their members" },
	{ 's', "depth", OPTION_TEXT, offsetof(struct print_options, depth_text),
	  "n", "open structures down to depth n; 0 opens none" },
	{ 'T', "base-types", OPTION_FLAG,
	  offsetof(struct print_options, base_types), NULL,
	  "types, and what typedefs stand for" },
	{ 't', "types", OPTION_FLAG, offsetof(struct print_options, types),
	  NULL, "the type of each member" },
	{ 'x', "hexadecimal", OPTION_FLAG,
	  offsetof(struct print_options, hexadecimal), NULL,
	  "integers in hexadecimal, as without" },
};

static struct err *read_options(const struct dcmd_call *call,
				struct print *print)
{
	struct print_options *options = &print->options;
	struct err *err = NULL;

	*options = *(const struct print_options *)call->options;
	if (options->depth_text) {
		options->has_depth = true;
		err = session_evaluate(call->session, options->depth_text,
				       &options->depth);
	}
	print->value = (struct type_value_options){
		.decimal = options->decimal,
		.no_symbols = options->no_symbols,
		.characters = options->characters
				      ? options->characters
				      : call->session->array_str_limit,
		.elements = options->elements ? options->elements
					      : call->session->array_mem_limit,
	};
	if (options->all_characters)
		print->value.characters = UINT64_MAX;
	if (options->all_elements)
		print->value.elements = UINT64_MAX;
	return err;
}

static bool pipe_element(struct print *print, const struct print_label *label,
			 const struct type_place *place)
{
	return print_row(print, label, place, "", NULL);
}

/* Into a pipe: what a member holds, of an array each element. */
static struct err *print_to_pipe(struct print *print,
				 const struct type_place *place)
{
	struct type *type = type_peel(place->type);
	const struct print_label label = { "", NULL, 0 };
	struct container container = { .shape = CONTAINER_NONE };
	bool more = true;

	if (print_is_container(print, place, &container)) {
		if (container.shape > CONTAINER_POINTER) {
			print_elements(print, &label, &container, pipe_element);
			return NULL;
		}
		place = &container.run;
		type = type_peel(place->type);
	}
	if (type->kind != TYPE_ARRAY || container.shape == CONTAINER_STRING) {
		print_row(print, &label, place, "", NULL);
		return NULL;
	}
	uint64_t limit = print->value.elements;
	for (uint64_t i = 0; more && i < type->count && i < limit; i++) {
		struct type_place element;
		struct err *err = type_place_element(place, i, &element);

		if (err)
			return err;
		more = print_row(print, &label, &element, "", NULL);
	}
	return NULL;
}

static struct err *print_one(struct print *print, const struct type_place *from,
			     const char *path)
{
	struct type_place place = *from;
	const char *name = path && strcmp(path, ".") != 0 ? path : NULL;
	const struct print_label label = { name ? name : "", name, 0 };
	struct err *err = NULL;

	if (path)
		err = type_place_follow(print->call->session, path, &place);
	if (err)
		return err;
	if (print->call->to_pipe)
		return print_to_pipe(print, &place);
	print_place(print, &label, &place);
	return NULL;
}

static struct err *print_run(const struct dcmd_call *call, struct sink *out)
{
	struct print print = { .call = call, .out = out };
	struct err *err = read_options(call, &print);
	struct type_place place;
	int used = 0;

	if (!err)
		err = type_place_of_words(call->session, call->has_address,
					  call->address, call->argc, call->argv,
					  &place, &used);
	if (err)
		return err;
	if (print.options.immediate) {
		place.immediate = true;
		place.value = place.address;
		place.address = 0;
	}
	if (used == call->argc)
		err = print_one(&print, &place, NULL);
	for (int i = used; !err && i < call->argc; i++)
		err = print_one(&print, &place, call->argv[i]);
	if (print.cut)
		sink_note(out, "stopped after %d lines", PRINT_ROWS_MAX);
	return err;
}

const struct dcmd dcmd_print = {
	.name = "print",
	.summary = "memory as its type says: structures, arrays, members",
	.help = "Shows the object of a type that lies at the address. Types "
		"come from the debug information of the program and its "
		"libraries, or from ::typedef. Where the address is a "
		"variable's, its type is known and need not be named; without "
		"an address, a variable's name may stand in the type's "
		"place.\n\n"
		"After the type come members, and only they are shown: a, "
		"a.b, a->b, a[3], [1].x, in any combination, or *a for what a "
		"points to; an index is an expression. Members of anonymous "
		"structures and of base "
		"classes are found by their name alone.\n\n"
		"Integers are hexadecimal unless -d. An enumeration's value is "
		"followed by its enumerators, char is shown as text, a pointer "
		"to char with its string, and a pointer into a symbol as that "
		"symbol. What cannot be read is told in its place. Strings, "
		"vectors, lists, deques, maps, sets and owning pointers of the "
		"C++ library show what they hold.\n\n"
		"In a pipe each member yields its value (a pointer, a number), "
		"an array or container one value for each element, a structure "
		"its "
		"address. JSON has a row for each member at every depth.",
	.example = "kma_root::print -s 1",
	.arguments = "[type | variable] [member ...]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "object",
	.options = print_options,
	.option_count = sizeof(print_options) / sizeof(print_options[0]),
	.options_size = sizeof(struct print_options),
	.tables = print_tables,
	.table_count = 1,
	.run = print_run,
};

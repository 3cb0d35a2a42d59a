/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::array - the addresses of what lies side by side. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/links.h"

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
	struct links links = { .call = call, .out = out };
	struct type_place array, element;
	uint64_t count;
	int used = 0;
	struct err *err = array_words(call, &array, &count, &used);

	if (!err && used < call->argc)
		links.variable = call->argv[used++];
	if (!err && used < call->argc)
		err = err_new(ERR_USAGE, "too many words");
	for (uint64_t i = 0; !err && i < count && links_go_on(&links); i++) {
		err = type_place_element(&array, i, &element);
		if (!err)
			err = links_yield(&links, element.address);
	}
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
	.tables = links_tables,
	.table_count = 1,
	.run = array_run,
};

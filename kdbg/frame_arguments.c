/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/frame_arguments.h"

#include "kdbg/frame_location.h"
#include "kdbg/source_lines.h"
#include "kdbg/type_value.h"
#include "kdbg/types_impl.h"

#include <dwarf.h>
#include <stdlib.h>

enum { CHARACTERS = 32, ELEMENTS = 4, PARAMETERS_MAX = 256 };

/* A reference is what it refers to, as C++ means it. */
static struct err *put_place(struct session *session, struct type_place *place,
			     FILE *stream)
{
	static const struct type_value_options options = {
		.characters = CHARACTERS,
		.elements = ELEMENTS,
	};
	struct err *err = NULL;

	if (type_peel(place->type)->kind == TYPE_REFERENCE) {
		fputc('@', stream);
		err = type_place_dereference(session, place);
	}
	if (err)
		return err;
	if (type_value_is_line(place->type))
		return type_value_put(session, place, &options, stream);
	fputs("{...}", stream);
	return NULL;
}

/* To text of its own first: what fails half way leaves nothing behind. */
static void put_value(struct session *session, struct type_place *place,
		      FILE *stream)
{
	char *text = NULL;
	size_t size;
	FILE *value = open_memstream(&text, &size);

	if (!value)
		return;
	struct err *err = put_place(session, place, value);
	fclose(value);
	fputs(err || !text ? "?" : text, stream);
	err_free(err);
	free(text);
}

static void put_argument(struct session *session,
			 const struct frame_state *frame, struct type *type,
			 Dwarf_Die *die, FILE *stream)
{
	const char *name = dwarf_diename(die);
	struct type_place place = { .type = type };
	struct frame_location location;

	fprintf(stream, "%s=", name ? name : "");
	if (!frame_locate(frame, die, &location)) {
		fputc('?', stream);
		return;
	}
	place.immediate = location.is_value;
	if (location.is_value)
		place.value = location.value;
	else
		place.address = location.value;
	put_value(session, &place, stream);
}

static void put_all(struct session *session, struct types *types,
		    struct type_module *module, struct frame_state *frame,
		    Dwarf_Die *function, uint64_t max, FILE *stream)
{
	Dwarf_Die child;
	uint64_t count = 0;

	if (max > PARAMETERS_MAX)
		max = PARAMETERS_MAX;
	if (dwarf_child(function, &child) != 0)
		return;
	do {
		if (dwarf_tag(&child) != DW_TAG_formal_parameter)
			continue;
		if (count == max) {
			fputs(count ? ", ..." : "...", stream);
			return;
		}
		fputs(count++ ? ", " : "", stream);
		put_argument(session, frame,
			     types_type_of(types, module, &child), &child,
			     stream);
	} while (dwarf_siblingof(&child, &child) == 0);
}

bool frame_arguments_put(struct session *session, uint64_t pc, size_t inlined,
			 const struct unwind_registers *registers, uint64_t cfa,
			 uint64_t max, FILE *stream)
{
	struct frame_state frame = { .target = session->target,
				     .registers = registers,
				     .cfa = cfa };
	struct source_lines *lines = NULL;
	struct types *types = NULL;
	Dwarf_Die function;
	struct err *err = session_types(session, &types);
	struct type_module *module =
		err ? NULL : types_module_holding(types, pc);

	err_free(err);
	if (module && types_module_index(types, module))
		lines = symbols_source(types->symbols,
				       (size_t)(module - types->modules));
	if (!lines)
		return false;
	frame.bias = module->facts.bias;
	frame.pc = pc - frame.bias;
	if (!source_lines_function(lines, frame.pc, inlined, &frame.function,
				   &function))
		return false;
	put_all(session, types, module, &frame, &function, max, stream);
	return true;
}

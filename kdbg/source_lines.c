/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an address to source, in two steps that are each indexed once:
 *
 *	address -> compilation unit	.debug_aranges; where they do not know
 *					the address (clang writes none), the
 *					ranges of all units
 *	address -> function		the functions of that unit, found by
 *					one walk over it
 *
 * then down from the function through the inlined calls that hold the address.
 * libdw's own dwarf_getscopes walks the unit for every address, which takes
 * milliseconds in units such as sqlite's.
 */
#include "kdbg/source_lines.h"

#include "kdbg/memo.h"
#include "kdbg/range_index.h"
#include "kdbg/target_file.h"
#include "kdbg/vector.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <string.h>

enum {
	NESTING_MAX = 64, /* of DIEs; deeper ones are not looked at */
};

struct source_unit {
	Dwarf_Off offset; /* of the unit's own DIE: names it */
	Dwarf_Die die;    /* with the contents: the split one if it is split */
	struct range_index functions; /* items: index into dies */
	Dwarf_Die *dies;
	size_t count;
	struct memo inner; /* by a DIE's offset: struct source_inner */
};

struct source_inner { /* inlined calls and blocks, right below a DIE */
	struct range_index ranges; /* items: index into dies */
	Dwarf_Die *dies;
	size_t count;
};

struct source_lines {
	Dwarf *dwarf, *alternate;
	struct module_file *alternate_file;
	struct source_unit **units; /* sorted by offset */
	size_t unit_count;
	struct range_index all; /* of all units; items: offsets of DIEs */
	bool all_made;
};

static void inner_destroy(struct source_inner *inner)
{
	range_index_deinit(&inner->ranges);
	free(inner->dies);
	free(inner);
}

static void unit_destroy(struct source_unit *unit)
{
	for (size_t i = 0; i < unit->inner.capacity; i++)
		if (unit->inner.slots[i].value)
			inner_destroy((struct source_inner *)(uintptr_t)
					      unit->inner.slots[i]
						      .value);
	memo_deinit(&unit->inner);
	range_index_deinit(&unit->functions);
	free(unit->dies);
	free(unit);
}

void source_lines_destroy(struct source_lines *lines)
{
	if (!lines)
		return;
	for (size_t i = 0; i < lines->unit_count; i++)
		unit_destroy(lines->units[i]);
	free(lines->units);
	range_index_deinit(&lines->all);
	dwarf_end(lines->dwarf);
	dwarf_end(lines->alternate);
	module_file_close(lines->alternate_file);
	free(lines);
}

/* What dwz moved out of several debug files into one. */
static void open_alternate(struct source_lines *lines, struct target *target,
			   const struct module_file *file)
{
	const char *name;
	const void *id;
	ssize_t size = dwelf_dwarf_gnu_debugaltlink(lines->dwarf, &name, &id);

	if (size <= 0)
		return;
	lines->alternate_file =
		target_find_alternate(target, file, name, id, (size_t)size);
	if (!lines->alternate_file)
		return;
	lines->alternate =
		dwarf_begin_elf(lines->alternate_file->elf, DWARF_C_READ, NULL);
	if (lines->alternate)
		dwarf_setalt(lines->dwarf, lines->alternate);
}

struct source_lines *source_lines_create(struct target *target,
					 const struct module_file *file)
{
	struct source_lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return NULL;
	lines->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	Dwarf_Off next;
	size_t header;
	if (!lines->dwarf || dwarf_nextcu(lines->dwarf, 0, &next, &header, NULL,
					  NULL, NULL) != 0) {
		source_lines_destroy(lines);
		return NULL;
	}
	open_alternate(lines, target, file);
	return lines;
}

Dwarf *source_lines_dwarf(const struct source_lines *lines)
{
	return lines->dwarf;
}

/* Add every range of a DIE's addresses. */
static void add_ranges(struct range_index *index, Dwarf_Die *die, size_t item)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &start, &end)) > 0)
		range_index_add(index, start, end, item);
}

static void index_all_units(struct source_lines *lines)
{
	Dwarf_CU *unit = NULL;

	lines->all_made = true;
	while (dwarf_get_units(lines->dwarf, unit, &unit, NULL, NULL, NULL,
			       NULL) == 0) {
		Dwarf_Die die;

		if (dwarf_cu_die(unit, &die, NULL, NULL, NULL, NULL, NULL,
				 NULL))
			add_ranges(&lines->all, &die, dwarf_dieoffset(&die));
	}
	range_index_finish(&lines->all);
}

/* The unit's DIE that holds address, by its offset. */
static bool find_unit(struct source_lines *lines, uint64_t address,
		      Dwarf_Die *die)
{
	if (dwarf_addrdie(lines->dwarf, address, die))
		return true;
	if (!lines->all_made)
		index_all_units(lines);
	ptrdiff_t item = range_index_find(&lines->all, address);
	return item >= 0 &&
	       dwarf_offdie(lines->dwarf, (Dwarf_Off)item, die) != NULL;
}

static bool may_hold_functions(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_lexical_block:
	case DW_TAG_subprogram: /* local classes and lambdas */
		return true;
	default:
		return false;
	}
}

static bool add_function(struct source_unit *unit, Dwarf_Die *die)
{
	Dwarf_Die *dies = vector_grow(unit->dies, unit->count, sizeof(*dies));

	if (!dies)
		return false;
	unit->dies = dies;
	dies[unit->count] = *die;
	add_ranges(&unit->functions, die, unit->count++);
	return true;
}

static void collect_functions(struct source_unit *unit, Dwarf_Die *parent,
			      unsigned depth)
{
	Dwarf_Die die;

	if (depth == NESTING_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && !add_function(unit, &die))
			return;
		if (may_hold_functions(tag))
			collect_functions(unit, &die, depth + 1);
	} while (dwarf_siblingof(&die, &die) == 0);
}

static struct source_unit *unit_create(Dwarf_Die *die)
{
	struct source_unit *unit = calloc(1, sizeof(*unit));
	Dwarf_Die split;

	if (!unit)
		return NULL;
	unit->offset = dwarf_dieoffset(die);
	unit->die = *die;
	if (dwarf_cu_info(die->cu, NULL, NULL, NULL, &split, NULL, NULL,
			  NULL) == 0 &&
	    split.addr)
		unit->die = split;
	collect_functions(unit, &unit->die, 0);
	range_index_finish(&unit->functions);
	return unit;
}

/* Where a unit of this offset is or belongs. */
static size_t unit_position(const struct source_lines *lines, Dwarf_Off offset)
{
	size_t low = 0, high = lines->unit_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lines->units[middle]->offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct source_unit *unit_get(struct source_lines *lines, Dwarf_Die *die)
{
	Dwarf_Off offset = dwarf_dieoffset(die);
	size_t i = unit_position(lines, offset);

	if (i < lines->unit_count && lines->units[i]->offset == offset)
		return lines->units[i];
	struct source_unit **units =
		vector_grow(lines->units, lines->unit_count, sizeof(*units));
	if (!units)
		return NULL;
	lines->units = units;
	struct source_unit *unit = unit_create(die);
	if (!unit)
		return NULL;
	memmove(units + i + 1, units + i,
		(lines->unit_count++ - i) * sizeof(*units));
	units[i] = unit;
	return unit;
}

static void collect_inner(struct source_inner *inner, Dwarf_Die *die)
{
	Dwarf_Die child, *dies;

	if (dwarf_child(die, &child) != 0)
		return;
	do {
		int tag = dwarf_tag(&child);

		if (tag != DW_TAG_inlined_subroutine &&
		    tag != DW_TAG_lexical_block)
			continue;
		dies = vector_grow(inner->dies, inner->count, sizeof(*dies));
		if (!dies)
			break;
		inner->dies = dies;
		dies[inner->count] = child;
		add_ranges(&inner->ranges, &child, inner->count++);
	} while (dwarf_siblingof(&child, &child) == 0);
	range_index_finish(&inner->ranges);
}

/* A function may have thousands of children, as each of its calls is one: they
 * are walked once. NULL: no memory. */
static const struct source_inner *inner_of(struct source_unit *unit,
					   Dwarf_Die *die)
{
	uint64_t key = dwarf_dieoffset(die);
	const struct source_inner *known = memo_get(&unit->inner, key);
	struct source_inner *inner;

	if (known)
		return known;
	inner = calloc(1, sizeof(*inner));
	if (!inner)
		return NULL;
	collect_inner(inner, die);
	memo_put(&unit->inner, key, inner);
	if (memo_get(&unit->inner, key) == inner)
		return inner;
	inner_destroy(inner);
	return NULL;
}

/* The child that is or holds an inlined call at address. */
static bool step_inward(struct source_unit *unit, Dwarf_Die *die,
			uint64_t address)
{
	const struct source_inner *inner = inner_of(unit, die);
	ptrdiff_t item = inner ? range_index_find(&inner->ranges, address) : -1;

	if (item < 0)
		return false;
	*die = inner->dies[item];
	return true;
}

static const char *linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	if (!dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) &&
	    !dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		return NULL;
	return dwarf_formstring(&attribute);
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attribute) ||
	    dwarf_formudata(&attribute, &value) != 0)
		return 0;
	return value;
}

/* Of the unit's own DIE: a split one has none. */
static const char *directory_of(Dwarf_Die *unit)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
}

/* Where the inlined call of this DIE stands. */
static void call_site(struct source_unit *unit, Dwarf_Die *die,
		      struct source_frame *frame)
{
	Dwarf_Files *files;
	size_t count;

	frame->line = (unsigned)number_of(die, DW_AT_call_line);
	if (dwarf_getsrcfiles(&unit->die, &files, &count) == 0)
		frame->file = dwarf_filesrc(
			files, number_of(die, DW_AT_call_file), NULL, NULL);
}

static void line_of(Dwarf_Die *unit, uint64_t address,
		    struct source_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number;

	if (!line || dwarf_lineno(line, &number) != 0)
		return;
	frame->file = dwarf_linesrc(line, NULL, NULL);
	frame->line = number > 0 ? (unsigned)number : 0;
}

/* The DIEs from the function inward that stand for frames. */
static size_t inline_chain(struct source_unit *unit, Dwarf_Die *function,
			   uint64_t address, Dwarf_Die chain[NESTING_MAX])
{
	Dwarf_Die die = *function;
	size_t count = 0;

	chain[count++] = die;
	for (int i = 0; i < NESTING_MAX && step_inward(unit, &die, address);
	     i++)
		if (dwarf_tag(&die) == DW_TAG_inlined_subroutine &&
		    count < NESTING_MAX)
			chain[count++] = die;
	return count;
}

/* The function at address and the calls inlined there; how many. */
static size_t chain_at(struct source_lines *lines, Dwarf_Die *die,
		       uint64_t address, Dwarf_Die chain[NESTING_MAX],
		       struct source_unit **unit)
{
	*unit = unit_get(lines, die);
	if (!*unit)
		return 0;
	ptrdiff_t item = range_index_find(&(*unit)->functions, address);
	return item < 0 ? 0
			: inline_chain(*unit, &(*unit)->dies[item], address,
				       chain);
}

bool source_lines_function(struct source_lines *lines, uint64_t address,
			   size_t inlined, Dwarf_Die *function,
			   Dwarf_Die *frame)
{
	Dwarf_Die die, chain[NESTING_MAX];
	struct source_unit *unit;
	size_t depth;

	if (!find_unit(lines, address, &die))
		return false;
	depth = chain_at(lines, &die, address, chain, &unit);
	if (inlined >= depth)
		return false;
	*function = chain[0];
	*frame = chain[depth - 1 - inlined];
	return true;
}

size_t source_lines_at(struct source_lines *lines, uint64_t address,
		       struct source_frame *frames, size_t max)
{
	struct source_frame frame = { 0 };
	Dwarf_Die die, chain[NESTING_MAX];
	size_t used = 0;

	if (!max || !find_unit(lines, address, &die))
		return 0;
	struct source_unit *unit;
	size_t depth = chain_at(lines, &die, address, chain, &unit);
	if (!unit)
		return 0;
	const char *directory = directory_of(&die);
	frame.directory = directory;
	line_of(&die, address, &frame);
	if (!depth && frame.file)
		frames[used++] = frame;
	while (depth-- > 0 && used < max) {
		frame.function = dwarf_diename(&chain[depth]);
		frame.linkage = linkage_name(&chain[depth]);
		frames[used++] = frame;
		frame = (struct source_frame){ .directory = directory };
		if (depth)
			call_site(unit, &chain[depth], &frame);
	}
	return used;
}

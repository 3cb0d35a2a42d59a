/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * .eh_frame: from a PC to the row that tells where its caller's registers are.
 *
 *	.eh_frame_hdr   sorted table: function start -> its FDE
 *	FDE             range, and a program in terms of its CIE
 *	CIE             what many FDEs share, and the program's prologue
 *
 * A program is a list of changes to the row while the PC advances; it is run
 * until it passes the address asked for. Only the registers of enum kma_column
 * are followed: the others do not survive a call, so nothing above depends on
 * them but in code that is interrupted in odd places.
 *
 * The bytes are the linker's and mapped read-only, but this runs inside malloc
 * in a process that may be damaged: every read is checked against the module's
 * end, and what is not understood is no row, never a guess.
 */
#include "alloc/module.h"
#include "alloc/unwind.h"

#include <string.h>

enum {
	DW_EH_PE_omit = 0xff,
	DW_EH_PE_format = 0x0f,
	DW_EH_PE_absptr = 0x00,
	DW_EH_PE_uleb128 = 0x01,
	DW_EH_PE_udata2 = 0x02,
	DW_EH_PE_udata4 = 0x03,
	DW_EH_PE_udata8 = 0x04,
	DW_EH_PE_sleb128 = 0x09,
	DW_EH_PE_sdata2 = 0x0a,
	DW_EH_PE_sdata4 = 0x0b,
	DW_EH_PE_sdata8 = 0x0c,
	DW_EH_PE_relation = 0x70,
	DW_EH_PE_pcrel = 0x10,
	DW_EH_PE_datarel = 0x30,
};

enum {
	DW_CFA_advance_loc = 0x40, /* the high two bits; operand in the low */
	DW_CFA_offset = 0x80,
	DW_CFA_restore = 0xc0,
	DW_CFA_nop = 0x00,
	DW_CFA_set_loc = 0x01,
	DW_CFA_advance_loc1 = 0x02,
	DW_CFA_advance_loc2 = 0x03,
	DW_CFA_advance_loc4 = 0x04,
	DW_CFA_offset_extended = 0x05,
	DW_CFA_restore_extended = 0x06,
	DW_CFA_undefined = 0x07,
	DW_CFA_same_value = 0x08,
	DW_CFA_register = 0x09,
	DW_CFA_remember_state = 0x0a,
	DW_CFA_restore_state = 0x0b,
	DW_CFA_def_cfa = 0x0c,
	DW_CFA_def_cfa_register = 0x0d,
	DW_CFA_def_cfa_offset = 0x0e,
	DW_CFA_def_cfa_expression = 0x0f,
	DW_CFA_expression = 0x10,
	DW_CFA_offset_extended_sf = 0x11,
	DW_CFA_def_cfa_sf = 0x12,
	DW_CFA_def_cfa_offset_sf = 0x13,
	DW_CFA_val_offset = 0x14,
	DW_CFA_val_offset_sf = 0x15,
	DW_CFA_val_expression = 0x16,
	DW_CFA_GNU_args_size = 0x2e,
	DW_CFA_GNU_negative_offset_extended = 0x2f,
};

/* Bytes still to be read. The first failure sticks; later reads are zero. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t read_bytes(struct reader *r, size_t size)
{
	uint64_t value = 0;

	if (r->bad || size > (size_t)(r->end - r->at)) {
		r->bad = true;
		return 0;
	}
	memcpy(&value, r->at, size);
	r->at += size;
	return value;
}

static uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_bytes(r, 1);
}

static uint64_t read_uleb(struct reader *r)
{
	uint64_t value = 0;
	uint8_t byte;
	unsigned shift = 0;

	do {
		byte = read_u8(r);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

static int64_t read_sleb(struct reader *r)
{
	uint64_t value = 0;
	uint8_t byte;
	unsigned shift = 0;

	do {
		byte = read_u8(r);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && (byte & 0x40))
		value |= UINT64_MAX << shift;
	return (int64_t)value;
}

static void read_skip(struct reader *r, uint64_t size)
{
	if (r->bad || size > (uint64_t)(r->end - r->at))
		r->bad = true;
	else
		r->at += size;
}

/* Sign-extend the low bits of value. */
static uint64_t extend(uint64_t value, unsigned bits)
{
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

/* header is what DATAREL is relative to. INDIRECT is left to who cares. */
static uintptr_t read_encoded(struct reader *r, uint8_t encoding,
			      const uint8_t *header)
{
	uintptr_t here = (uintptr_t)r->at, value;

	if (encoding == DW_EH_PE_omit)
		return 0;
	switch (encoding & DW_EH_PE_format) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		value = read_bytes(r, 8);
		break;
	case DW_EH_PE_uleb128:
		value = read_uleb(r);
		break;
	case DW_EH_PE_sleb128:
		value = (uint64_t)read_sleb(r);
		break;
	case DW_EH_PE_udata2:
		value = read_bytes(r, 2);
		break;
	case DW_EH_PE_sdata2:
		value = extend(read_bytes(r, 2), 16);
		break;
	case DW_EH_PE_udata4:
		value = read_bytes(r, 4);
		break;
	case DW_EH_PE_sdata4:
		value = extend(read_bytes(r, 4), 32);
		break;
	default:
		r->bad = true;
		return 0;
	}
	switch (encoding & DW_EH_PE_relation) {
	case DW_EH_PE_pcrel:
		return value + here;
	case DW_EH_PE_datarel:
		return value + (uintptr_t)header;
	default:
		return value;
	}
}

/* The FDE whose function starts last at or before address, by the table. */
static const uint8_t *fde_find(const struct kma_module *module,
			       uintptr_t address)
{
	const uint8_t *header = module->eh_frame_header;
	struct reader r = { .at = header, .end = (const uint8_t *)module->end };
	uint8_t version = read_u8(&r), frame_encoding = read_u8(&r);
	uint8_t count_encoding = read_u8(&r), table_encoding = read_u8(&r);

	read_encoded(&r, frame_encoding, header);
	uint64_t count = read_encoded(&r, count_encoding, header);
	if (r.bad || version != 1 || count_encoding == DW_EH_PE_omit ||
	    table_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4) ||
	    count > (uint64_t)(r.end - r.at) / 8)
		return NULL;

	const int32_t(*table)[2] = (const void *)r.at;
	int64_t wanted = (int64_t)(address - (uintptr_t)header);
	uint64_t low = 0, high = count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (table[middle][0] <= wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? header + table[low - 1][1] : NULL;
}

/* What an FDE and its CIE say, ready to run. */
struct frame_entry {
	const struct kma_module *module;
	struct reader initial, program;
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding;
	bool augmented, signal;
	uintptr_t start;
};

/* Bound r to one CIE or FDE; at is its length field. */
static bool entry_open(struct reader *r, const uint8_t *at,
		       const struct kma_module *module)
{
	if ((uintptr_t)at < module->base || (uintptr_t)at >= module->end)
		return false;
	*r = (struct reader){ .at = at, .end = (const uint8_t *)module->end };
	uint64_t length = read_bytes(r, 4);
	if (r->bad || length < 4 || length == UINT32_MAX ||
	    length > (uint64_t)(r->end - r->at))
		return false;
	r->end = r->at + length;
	return true;
}

static bool cie_parse(struct frame_entry *entry, struct reader *r)
{
	read_skip(r, 4); /* the id, 0 */
	uint8_t version = read_u8(r);
	const char *augmentation = (const char *)r->at;
	const char *terminator = memchr(r->at, 0, (size_t)(r->end - r->at));

	if (!terminator || (version != 1 && version != 3) ||
	    (*augmentation && *augmentation != 'z'))
		return false;
	r->at = (const uint8_t *)terminator + 1;
	entry->code_align = read_uleb(r);
	entry->data_align = read_sleb(r);
	uint64_t return_column = version == 1 ? read_u8(r) : read_uleb(r);
	entry->augmented = *augmentation == 'z';
	if (entry->augmented)
		read_uleb(r); /* size of what follows: we read it all */
	for (const char *a = augmentation + 1; entry->augmented && *a; a++) {
		if (*a == 'R')
			entry->encoding = read_u8(r);
		else if (*a == 'L')
			read_u8(r);
		else if (*a == 'P')
			read_encoded(r, read_u8(r),
				     entry->module->eh_frame_header);
		else if (*a == 'S')
			entry->signal = true;
		else if (*a != 'B')
			return false;
	}
	entry->initial = *r;
	return !r->bad && kma_arch_column(return_column) == KMA_COLUMN_PC;
}

static bool entry_parse(struct frame_entry *entry, const uint8_t *fde,
			const struct kma_module *module, uintptr_t address)
{
	const void *header = module->eh_frame_header;
	struct reader r, cie;

	*entry = (struct frame_entry){ .module = module };
	if (!entry_open(&r, fde, module))
		return false;
	const uint8_t *id = r.at;
	uint64_t back = read_bytes(&r, 4);
	if (!entry_open(&cie, id - back, module) || !cie_parse(entry, &cie))
		return false;
	entry->start = read_encoded(&r, entry->encoding, header);
	uintptr_t size =
		read_encoded(&r, entry->encoding & DW_EH_PE_format, header);
	if (entry->augmented)
		read_skip(&r, read_uleb(&r));
	entry->program = r;
	return !r.bad && address - entry->start < size;
}

/* A program being run: the row so far, and what remember_state kept. */
struct machine {
	const struct frame_entry *entry;
	struct kma_cfi_row *row;
	const struct kma_cfi_row *initial; /* after the CIE's program */
	uintptr_t location;
	struct kma_cfi_row kept[4]; /* compilers nest one or two deep */
	unsigned kept_count;
};

static void set_column(struct machine *m, uint64_t dwarf, enum kma_cfi_how how,
		       int64_t value)
{
	int column = kma_arch_column(dwarf);

	if (column >= 0)
		m->row->column[column] = (struct kma_cfi_column){ value, how };
}

static void restore_column(struct machine *m, uint64_t dwarf)
{
	int column = kma_arch_column(dwarf);

	if (column >= 0 && m->initial)
		m->row->column[column] = m->initial->column[column];
}

static int64_t read_expression(struct reader *r)
{
	int64_t at = (int64_t)(uintptr_t)r->at;

	read_skip(r, read_uleb(r));
	return at;
}

static void set_cfa(struct machine *m, uint64_t dwarf, int64_t offset)
{
	m->row->cfa_column = kma_arch_column(dwarf);
	m->row->cfa = (struct kma_cfi_column){ offset, KMA_CFI_REGISTER };
}

static void remember(struct machine *m, struct reader *r)
{
	if (m->kept_count == sizeof(m->kept) / sizeof(m->kept[0]))
		r->bad = true;
	else
		m->kept[m->kept_count++] = *m->row;
}

static void recall(struct machine *m, struct reader *r)
{
	if (m->kept_count == 0)
		r->bad = true;
	else
		*m->row = m->kept[--m->kept_count];
}

/* Instructions that say where the CFA is. False: not one of them. */
static bool run_cfa(struct machine *m, struct reader *r, uint8_t op)
{
	int64_t align = m->entry->data_align;
	uint64_t dwarf;

	switch (op) {
	case DW_CFA_def_cfa:
		dwarf = read_uleb(r);
		set_cfa(m, dwarf, (int64_t)read_uleb(r));
		return true;
	case DW_CFA_def_cfa_sf:
		dwarf = read_uleb(r);
		set_cfa(m, dwarf, read_sleb(r) * align);
		return true;
	case DW_CFA_def_cfa_register:
		m->row->cfa_column = kma_arch_column(read_uleb(r));
		return true;
	case DW_CFA_def_cfa_offset:
		m->row->cfa.value = (int64_t)read_uleb(r);
		return true;
	case DW_CFA_def_cfa_offset_sf:
		m->row->cfa.value = read_sleb(r) * align;
		return true;
	case DW_CFA_def_cfa_expression:
		m->row->cfa = (struct kma_cfi_column){ read_expression(r),
						       KMA_CFI_EXPRESSION };
		return true;
	default:
		return false;
	}
}

/* Instructions that say where one register is. False: not one of them. */
static bool run_column(struct machine *m, struct reader *r, uint8_t op)
{
	int64_t align = m->entry->data_align;
	uint64_t dwarf = read_uleb(r);

	switch (op) {
	case DW_CFA_offset_extended:
		set_column(m, dwarf, KMA_CFI_OFFSET,
			   (int64_t)read_uleb(r) * align);
		return true;
	case DW_CFA_offset_extended_sf:
		set_column(m, dwarf, KMA_CFI_OFFSET, read_sleb(r) * align);
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		set_column(m, dwarf, KMA_CFI_OFFSET,
			   -(int64_t)read_uleb(r) * align);
		return true;
	case DW_CFA_val_offset:
		set_column(m, dwarf, KMA_CFI_VAL_OFFSET,
			   (int64_t)read_uleb(r) * align);
		return true;
	case DW_CFA_val_offset_sf:
		set_column(m, dwarf, KMA_CFI_VAL_OFFSET, read_sleb(r) * align);
		return true;
	case DW_CFA_restore_extended:
		restore_column(m, dwarf);
		return true;
	case DW_CFA_undefined:
		set_column(m, dwarf, KMA_CFI_UNDEFINED, 0);
		return true;
	case DW_CFA_same_value:
		set_column(m, dwarf, KMA_CFI_SAME, 0);
		return true;
	case DW_CFA_register:
		set_column(m, dwarf, KMA_CFI_REGISTER,
			   kma_arch_column(read_uleb(r)));
		return true;
	case DW_CFA_expression:
		set_column(m, dwarf, KMA_CFI_EXPRESSION, read_expression(r));
		return true;
	case DW_CFA_val_expression:
		set_column(m, dwarf, KMA_CFI_VAL_EXPRESSION,
			   read_expression(r));
		return true;
	default:
		return false;
	}
}

/* How far an instruction advances the location; 0 if it does not. */
static uint64_t run_advance(struct machine *m, struct reader *r, uint8_t op)
{
	uint64_t align = m->entry->code_align;

	switch (op) {
	case DW_CFA_set_loc:
		return read_encoded(r, m->entry->encoding,
				    m->entry->module->eh_frame_header) -
		       m->location;
	case DW_CFA_advance_loc1:
		return read_bytes(r, 1) * align;
	case DW_CFA_advance_loc2:
		return read_bytes(r, 2) * align;
	case DW_CFA_advance_loc4:
		return read_bytes(r, 4) * align;
	default:
		return (op & 0xc0) == DW_CFA_advance_loc ? (op & 0x3f) * align
							 : 0;
	}
}

/* Run until the location passes address. False: not understood. */
static bool run(struct machine *m, struct reader r, uintptr_t address)
{
	while (!r.bad && r.at < r.end) {
		uint8_t op = read_u8(&r);
		uint8_t operand = op & 0x3f;

		if ((op & 0xc0) == DW_CFA_advance_loc ||
		    (op >= DW_CFA_set_loc && op <= DW_CFA_advance_loc4)) {
			m->location += run_advance(m, &r, op);
			if (m->location > address)
				return !r.bad;
		} else if ((op & 0xc0) == DW_CFA_offset) {
			set_column(m, operand, KMA_CFI_OFFSET,
				   (int64_t)read_uleb(&r) *
					   m->entry->data_align);
		} else if ((op & 0xc0) == DW_CFA_restore) {
			restore_column(m, operand);
		} else if (op == DW_CFA_remember_state) {
			remember(m, &r);
		} else if (op == DW_CFA_restore_state) {
			recall(m, &r);
		} else if (op == DW_CFA_GNU_args_size) {
			read_uleb(&r);
		} else if (op != DW_CFA_nop && !run_cfa(m, &r, op) &&
			   !run_column(m, &r, op)) {
			return false;
		}
	}
	return !r.bad;
}

bool kma_cfi_find(const struct kma_module *module, uintptr_t address,
		  struct kma_cfi_row *ret)
{
	struct frame_entry entry;
	struct kma_cfi_row row = { .cfa_column = -1 }, initial;

	if (!module->eh_frame_header)
		return false;
	const uint8_t *fde = fde_find(module, address);
	if (!fde || !entry_parse(&entry, fde, module, address))
		return false;
	row.signal = entry.signal;
	row.column[KMA_COLUMN_PC].how = KMA_CFI_UNDEFINED;

	struct machine m = { .entry = &entry, .row = &row };
	if (!run(&m, entry.initial, UINTPTR_MAX))
		return false;
	initial = row;
	m.initial = &initial;
	m.location = entry.start;
	if (!run(&m, entry.program, address))
		return false;
	*ret = row;
	return true;
}

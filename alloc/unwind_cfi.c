/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a PC to the row that tells where its caller's registers are: the program
 * of its function (unwind_entry.h) is run.
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
#include "alloc/unwind.h"
#include "alloc/unwind_entry.h"

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

/* A program being run: the row so far, and what remember_state kept. */
struct machine {
	const struct kma_frame_entry *entry;
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

static int64_t read_expression(struct kma_reader *r)
{
	int64_t at = (int64_t)(uintptr_t)r->at;

	kma_read_skip(r, kma_read_uleb(r));
	return at;
}

static void set_cfa(struct machine *m, uint64_t dwarf, int64_t offset)
{
	m->row->cfa_column = kma_arch_column(dwarf);
	m->row->cfa = (struct kma_cfi_column){ offset, KMA_CFI_REGISTER };
}

static void remember(struct machine *m, struct kma_reader *r)
{
	if (m->kept_count == sizeof(m->kept) / sizeof(m->kept[0]))
		r->bad = true;
	else
		m->kept[m->kept_count++] = *m->row;
}

static void recall(struct machine *m, struct kma_reader *r)
{
	if (m->kept_count == 0)
		r->bad = true;
	else
		*m->row = m->kept[--m->kept_count];
}

/* Instructions that say where the CFA is. False: not one of them. */
static bool run_cfa(struct machine *m, struct kma_reader *r, uint8_t op)
{
	int64_t align = m->entry->data_align;
	uint64_t dwarf;

	switch (op) {
	case DW_CFA_def_cfa:
		dwarf = kma_read_uleb(r);
		set_cfa(m, dwarf, (int64_t)kma_read_uleb(r));
		return true;
	case DW_CFA_def_cfa_sf:
		dwarf = kma_read_uleb(r);
		set_cfa(m, dwarf, kma_read_sleb(r) * align);
		return true;
	case DW_CFA_def_cfa_register:
		m->row->cfa_column = kma_arch_column(kma_read_uleb(r));
		return true;
	case DW_CFA_def_cfa_offset:
		m->row->cfa.value = (int64_t)kma_read_uleb(r);
		return true;
	case DW_CFA_def_cfa_offset_sf:
		m->row->cfa.value = kma_read_sleb(r) * align;
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
static bool run_column(struct machine *m, struct kma_reader *r, uint8_t op)
{
	int64_t align = m->entry->data_align;
	uint64_t dwarf = kma_read_uleb(r);

	switch (op) {
	case DW_CFA_offset_extended:
		set_column(m, dwarf, KMA_CFI_OFFSET,
			   (int64_t)kma_read_uleb(r) * align);
		return true;
	case DW_CFA_offset_extended_sf:
		set_column(m, dwarf, KMA_CFI_OFFSET, kma_read_sleb(r) * align);
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		set_column(m, dwarf, KMA_CFI_OFFSET,
			   -(int64_t)kma_read_uleb(r) * align);
		return true;
	case DW_CFA_val_offset:
		set_column(m, dwarf, KMA_CFI_VAL_OFFSET,
			   (int64_t)kma_read_uleb(r) * align);
		return true;
	case DW_CFA_val_offset_sf:
		set_column(m, dwarf, KMA_CFI_VAL_OFFSET,
			   kma_read_sleb(r) * align);
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
			   kma_arch_column(kma_read_uleb(r)));
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
static uint64_t run_advance(struct machine *m, struct kma_reader *r, uint8_t op)
{
	uint64_t align = m->entry->code_align;

	switch (op) {
	case DW_CFA_set_loc:
		return kma_read_encoded(r, m->entry->encoding,
					m->entry->module->eh_frame_header) -
		       m->location;
	case DW_CFA_advance_loc1:
		return kma_read_bytes(r, 1) * align;
	case DW_CFA_advance_loc2:
		return kma_read_bytes(r, 2) * align;
	case DW_CFA_advance_loc4:
		return kma_read_bytes(r, 4) * align;
	default:
		return (op & 0xc0) == DW_CFA_advance_loc ? (op & 0x3f) * align
							 : 0;
	}
}

/* Run until the location passes address. False: not understood. */
static bool run(struct machine *m, struct kma_reader r, uintptr_t address)
{
	while (!r.bad && r.at < r.end) {
		uint8_t op = kma_read_u8(&r);
		uint8_t operand = op & 0x3f;

		if ((op & 0xc0) == DW_CFA_advance_loc ||
		    (op >= DW_CFA_set_loc && op <= DW_CFA_advance_loc4)) {
			m->location += run_advance(m, &r, op);
			if (m->location > address)
				return !r.bad;
		} else if ((op & 0xc0) == DW_CFA_offset) {
			set_column(m, operand, KMA_CFI_OFFSET,
				   (int64_t)kma_read_uleb(&r) *
					   m->entry->data_align);
		} else if ((op & 0xc0) == DW_CFA_restore) {
			restore_column(m, operand);
		} else if (op == DW_CFA_remember_state) {
			remember(m, &r);
		} else if (op == DW_CFA_restore_state) {
			recall(m, &r);
		} else if (op == DW_CFA_GNU_args_size) {
			kma_read_uleb(&r);
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
	struct kma_frame_entry entry;
	struct kma_cfi_row row = { .cfa_column = -1 }, initial;

	if (!kma_frame_entry_find(module, address, &entry))
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What .eh_frame says of one function.
 *
 *	.eh_frame_hdr   sorted table: function start -> its FDE
 *	FDE             range, and a program in terms of its CIE
 *	CIE             what many FDEs share, and the program's prologue
 */
#ifndef ALLOC_UNWIND_ENTRY_H
#define ALLOC_UNWIND_ENTRY_H

#include "alloc/module.h"
#include "alloc/unwind_reader.h"

/* What an FDE and its CIE say, ready to run. */
struct kma_frame_entry {
	const struct kma_module *module;
	struct kma_reader initial, program;
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding;
	bool augmented, signal;
	uintptr_t start;
};

/* The one that address is in. False: none, or one that is not understood. */
bool kma_frame_entry_find(const struct kma_module *module, uintptr_t address,
			  struct kma_frame_entry *ret);

#endif

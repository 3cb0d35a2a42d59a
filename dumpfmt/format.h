/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in the file. All integers are little-endian. See FORMAT.md. */
#ifndef DUMPFMT_FORMAT_H
#define DUMPFMT_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum dump_level { DUMP_FULL = 0, DUMP_HEAP = 1, DUMP_META = 2 };

enum dump_reason {
	DUMP_REASON_EXIT = 1,
	DUMP_REASON_SIGNAL = 2,
	DUMP_REASON_ERROR = 3,
	DUMP_REASON_REQUEST = 4,
	DUMP_REASON_SNAPSHOT = 5, /* from outside */
};

enum dump_thread_flags {
	DUMP_THREAD_CRASHED = 1,   /* took the signal, or wrote the dump */
	DUMP_THREAD_REGISTERS = 2, /* all general registers are valid */
	DUMP_THREAD_SP_PC = 4,     /* only sp and pc are */
	DUMP_THREAD_NO_STACK = 8,  /* its stack could not be read */
};

enum dump_map_flags {
	DUMP_MAP_READ = 1,
	DUMP_MAP_WRITE = 2,
	DUMP_MAP_EXEC = 4,
	DUMP_MAP_SHARED = 8,
	DUMP_MAP_STORED = 16, /* its bytes (or some) are in the file */
};

/* In the order of the kernel's user_regs_struct, as in NT_PRSTATUS. */
struct dump_registers {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx,
		rsi, rdi, orig_rax, rip, cs, rflags, rsp, ss, fs_base, gs_base,
		ds, es, fs, gs;
};
static_assert(sizeof(struct dump_registers) == 27 * 8, "on-disk size");

#endif

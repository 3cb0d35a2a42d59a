/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that libkma stopped, as it lies in its process's memory: libkma's
 * own note for the dump it writes, and what a supervisor reads of a process
 * that shows itself (dumpfmt/roster.h).
 */
#ifndef DUMPFMT_STOPPED_H
#define DUMPFMT_STOPPED_H

#include "dumpfmt/format.h"

#include <assert.h>
#include <stdint.h>

enum dump_thread_state {
	DUMP_THREAD_UNUSED,
	DUMP_THREAD_ASKED,
	DUMP_THREAD_STOPPED,
	DUMP_THREAD_SILENT, /* cannot answer: dead, or all signals blocked */
};

struct dump_stopped {
	uint32_t tid;   /* 0: no thread's */
	uint32_t state; /* enum dump_thread_state */
	uint32_t flags; /* enum dump_thread_flags */
	uint32_t reserved;
	struct dump_registers registers;
	uint64_t fpregs; /* address of the vector state; 0: none */
	uint64_t fpregs_size;
	uint64_t stack_low, stack_high;
	char name[16];
};

#endif

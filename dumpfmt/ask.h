/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dump asked for from outside: what kdbg dump -p and libkma tell each other.
 *
 *	kdbg				the process
 *	makes a memory file with a
 *	struct dump_ask, and the output
 *	  -- DUMP_ASK_SIGNAL, whose --> opens /proc/KDBG/fd/N, reads the ask,
 *	     value names file N		opens the output in the same way
 *					state ACCEPTED
 *					stops its threads, copies itself, goes
 *on: the pause and the copy are known the copy writes the dump, and ends state
 *WRITTEN: the status is known
 *
 * Neither resolves a path of the other's, and only who may look into kdbg can
 * answer it. The signal is one that libc keeps for itself and lets no program
 * block; kma_root.asks says that libkma handles it, and without that it is
 * never sent: its default action would end the process.
 */
#ifndef DUMPFMT_ASK_H
#define DUMPFMT_ASK_H

#include <stdint.h>

enum {
	DUMP_ASK_SIGNAL = 33, /* libc's SIGSETXID */
	DUMP_ASK_VERSION = 2, /* of this page, and kma_root.asks */
};

#define DUMP_ASK_MAGIC UINT64_C(0x314b53414d554450) /* "PDUMASK1" */

/* In the upper half of the signal's value; the lower is the file. */
#define DUMP_ASK_WORD UINT64_C(0x6b64756d)

enum dump_ask_state {
	DUMP_ASK_WAITS = 0,
	DUMP_ASK_ACCEPTED,
	DUMP_ASK_WRITTEN,
	DUMP_ASK_CANCELLED, /* by kdbg, which has found another way */
};

struct dump_ask {
	uint64_t magic;
	uint32_t version;
	uint32_t state;   /* enum dump_ask_state */
	int32_t output;   /* of kdbg's files */
	uint32_t level;   /* enum dump_level */
	uint32_t codec;   /* enum dump_codec */
	uint32_t workers; /* as in struct dump_write_options */
	uint32_t symbols; /* 1: names of functions, too */
	uint32_t pad;
	/* The answers; pause_ns comes last of the first three. */
	int32_t status;  /* 0, or -errno */
	uint32_t writer; /* pid of the copy; 0: the process writes itself */
	uint64_t pause_ns;
};

#endif

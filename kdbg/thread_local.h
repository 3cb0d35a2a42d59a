/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a thread's own variables lie.
 *
 *	thread pointer (fs_base) --> | ... | dtv | ...
 *	                                      |
 *	dtv: | [-1] length | [0] | [1] block, to free | [2] ... |
 *
 * The dtv has an element for each module with thread-local variables, by a
 * number that ld.so keeps in its list of modules. Where in a record of that
 * list the number stands, libc says in words that it exports for debuggers. A
 * block that the thread has not used yet may not be there.
 */
#ifndef KDBG_THREAD_LOCAL_H
#define KDBG_THREAD_LOCAL_H

#include "kdbg/symbols.h"

/* "errno", "libc.so.6`errno": its address in this thread. */
struct err *thread_local_address(struct symbols *symbols, struct target *target,
				 const struct dump_thread *thread,
				 const char *name, struct symbol *symbol,
				 uint64_t *ret) MUST_USE;

/*
 * What pthread_getspecific(key) would give this thread: struct pthread has
 * pointers to blocks of pairs (sequence, value), a block for 32 keys each; libc
 * tells where as above. 0: none was set.
 */
enum { THREAD_KEYS = 1024 };
struct err *thread_specific(struct symbols *symbols, struct target *target,
			    const struct dump_thread *thread, unsigned key,
			    uint64_t *ret) MUST_USE;

#endif

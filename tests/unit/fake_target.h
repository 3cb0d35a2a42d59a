/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A target made of parts, for tests of what stands on targets.
 *
 *	struct fake_target *fake = fake_target_create();
 *	fake_target_memory(fake, 0x1000, bytes, sizeof(bytes));
 *	fake_target_thread(fake, 7, "main", &registers);
 *	struct target *target = fake_target_finish(fake);
 *	...
 *	target_close(target);
 *
 * Bytes are copied, strings are not. Extents that touch are not joined.
 */
#ifndef TESTS_FAKE_TARGET_H
#define TESTS_FAKE_TARGET_H

#include "kdbg/target.h"

struct fake_target;

struct fake_target *fake_target_create(void);

/* In any order; they must not overlap. A copy, at the same place in every
 * view, so that a test may change the bytes later. */
void *fake_target_memory(struct fake_target *fake, uint64_t address,
			 const void *bytes, size_t size);

/* Reads of this page fail as a damaged block does. */
void fake_target_damage(struct fake_target *fake, uint64_t address);

void fake_target_map(struct fake_target *fake, uint64_t start, uint64_t end,
		     uint32_t flags, const char *path);
void fake_target_module(struct fake_target *fake, uint64_t base, uint64_t end,
			const char *path, const void *build_id,
			size_t build_id_size);

/* registers may be NULL: none are known. */
void fake_target_thread(struct fake_target *fake, uint32_t tid,
			const char *name,
			const struct dump_registers *registers);
void fake_target_root(struct fake_target *fake, uint64_t address);
void fake_target_auxv(struct fake_target *fake, uint64_t tag, uint64_t value);

/* To be filled in by the test. */
struct dump_process *fake_target_process(struct fake_target *fake);
void fake_target_options(struct fake_target *fake, const char *executable,
			 const char *sysroot);

/* The target owns fake from now on. */
struct target *fake_target_finish(struct fake_target *fake);

#endif

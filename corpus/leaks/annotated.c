/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program tells of its own leaks, by libkma's interface and by
 * LeakSanitizer's: some are lost on purpose, some are held by memory that
 * nothing leads to but the program's word. Of the rest, one is lost before a
 * checkpoint and one after it.
 */
#include "corpus/escape.h"

#include <stdlib.h>

/* Weak, so that the program runs without them. */
extern int kma_ignore(const void *p) __attribute__((weak));
extern int kma_root_add(const void *start, size_t size) __attribute__((weak));
extern int kma_root_remove(const void *start, size_t size)
	__attribute__((weak));
extern int kma_checkpoint(const char *name) __attribute__((weak));
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));
extern void __lsan_ignore_object(const void *p) __attribute__((weak));
extern void __lsan_register_root_region(const void *start, size_t size)
	__attribute__((weak));
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:lose_known\n";
}

static NOINLINE void lose_on_purpose(void)
{
	void **p = escape(malloc(64));

	*p = escape(malloc(32)); /* goes with it */
	if (kma_ignore)
		kma_ignore(p);
	p = escape(malloc(64));
	if (__lsan_ignore_object)
		__lsan_ignore_object(p);
}

static NOINLINE void lose_while_disabled(void)
{
	if (__lsan_disable)
		__lsan_disable();
	escape(malloc(128));
	if (__lsan_enable)
		__lsan_enable();
}

static NOINLINE void hold_by_region(void)
{
	void **arena = escape(malloc(256)); /* itself lost */

	arena[3] = escape(malloc(48));
	if (__lsan_register_root_region)
		__lsan_register_root_region(&arena[2], 32);
}

static NOINLINE void hold_by_former_region(void)
{
	void **arena = escape(malloc(272));

	arena[3] = escape(malloc(80)); /* goes with it */
	if (kma_root_add && kma_root_remove) {
		kma_root_add(&arena[2], 32);
		kma_root_remove(&arena[2], 32);
	}
}

static NOINLINE void lose_before(void)
{
	escape(malloc(500));
}

static NOINLINE void lose_after(void)
{
	escape(malloc(600));
}

int main(void)
{
	lose_on_purpose();
	lose_while_disabled();
	hold_by_region();
	hold_by_former_region();
	lose_before();
	if (kma_checkpoint)
		kma_checkpoint("ready");
	lose_after();
	forget();
	return __lsan_do_recoverable_leak_check
		       ? __lsan_do_recoverable_leak_check()
		       : 0;
}

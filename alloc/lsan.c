/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LeakSanitizer's interface (sanitizer/lsan_interface.h), so that a program
 * annotated for it is understood.
 *
 * Leaks are found by kdbg, in what the process leaves when it ends. A check in
 * the middle needs nothing: what is lost by then is still lost at the end.
 */
#include "alloc/annotate.h"
#include "alloc/root.h"
#include "kma/kma.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

void __lsan_disable(void);
void __lsan_enable(void);
void __lsan_ignore_object(const void *p);
void __lsan_register_root_region(const void *start, size_t size);
void __lsan_unregister_root_region(const void *start, size_t size);
void __lsan_do_leak_check(void);
int __lsan_do_recoverable_leak_check(void);

/* The program's, where it exports one. */
extern const char *__lsan_default_suppressions(void) __attribute__((weak));

EXPORT void __lsan_disable(void)
{
	kma_ignore_begin();
}

EXPORT void __lsan_enable(void)
{
	kma_ignore_end();
}

/* What is no buffer of ours is passed over, as LeakSanitizer does. */
EXPORT void __lsan_ignore_object(const void *p)
{
	int saved_errno = errno;

	kma_ignore(p);
	errno = saved_errno;
}

EXPORT void __lsan_register_root_region(const void *start, size_t size)
{
	int saved_errno = errno;

	kma_root_add(start, size);
	errno = saved_errno;
}

EXPORT void __lsan_unregister_root_region(const void *start, size_t size)
{
	int saved_errno = errno;

	kma_root_remove(start, size);
	errno = saved_errno;
}

EXPORT void __lsan_do_leak_check(void)
{
}

EXPORT int __lsan_do_recoverable_leak_check(void)
{
	return 0;
}

/* A constructor, as the first moment at which the program can be called: when
 * the allocator starts, ld.so is still at work. */
__attribute__((constructor)) static void keep_suppressions(void)
{
	if (__lsan_default_suppressions)
		kma_root.suppressions = __lsan_default_suppressions();
}

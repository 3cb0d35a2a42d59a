/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can what the program points at be read? The kernel says so without a fault:
 * what a system call would refuse with EFAULT must not crash in a function of
 * ours that stands before it. For signal handlers and after vfork.
 */
#ifndef ALLOC_READABLE_H
#define ALLOC_READABLE_H

#include <stdbool.h>

/* With its terminator. NULL is none. */
bool kma_readable_text(const char *text);

/* Pointers up to a NULL, and what they point at. NULL is an empty list. */
bool kma_readable_list(char *const *list);

#endif

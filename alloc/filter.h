/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a seccomp filter says to a system call. It is a program of classic BPF
 * over the number and the arguments: its few instructions are run here as the
 * kernel would, with arguments of zero but for the third of some; a filter that
 * looks at the others is taken at its word for those. What cannot be run counts
 * as an end.
 */
#ifndef ALLOC_FILTER_H
#define ALLOC_FILTER_H

#include <stdbool.h>

struct sock_fprog;

enum { KMA_FILTER_ANY = -1 }; /* third argument: zero will do */

/* The process, or the thread; filter NULL is mode strict. */
bool kma_filter_ends(const struct sock_fprog *filter, long number, long third);

/* With an error. */
bool kma_filter_refuses(const struct sock_fprog *filter, long number);

#endif

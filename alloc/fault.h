/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fault that the fill of unused memory made: the program read a pointer in a
 * freed buffer, or in one it had not written yet, and went where it points.
 */
#ifndef ALLOC_FAULT_H
#define ALLOC_FAULT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/* In the handler of SIGSEGV: report it if it is that. */
bool kma_fault_by_fill(const siginfo_t *info, const ucontext_t *context);

/* Is the word the fill of unused memory, or a few bytes from it? What that
 * means; NULL: it is not. */
const char *kma_fill_meaning(uint64_t word);

#endif

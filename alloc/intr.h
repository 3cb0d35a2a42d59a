/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In a signal handler, as the program says (kma_intr_enter()), and the checks
 * that every call of kernels' interfaces makes of its flags.
 */
#ifndef ALLOC_INTR_H
#define ALLOC_INTR_H

#include <stdbool.h>

extern __thread int kma_intr_level __attribute__((tls_model("initial-exec")));

static inline int kma_intr_depth_now(void)
{
	return kma_intr_level;
}

/* Report SLEEPINTR for function, of what (a cache), or NULL. */
void kma_intr_refuse(const char *function, const char *what);

/* Exactly one of SLEEP and NOSLEEP, and nothing unknown; else BADFLAGS. */
bool kma_flags_fit(unsigned flags, const char *function);

#endif

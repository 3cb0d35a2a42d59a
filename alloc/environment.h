/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program must find in its environment to be looked after as its parent
 * is: our library in LD_PRELOAD, and the KMA_ variables. Programs clear their
 * children's environment (env -i, sudo, cron, test harnesses); where a
 * supervisor wants all descendants, the exec family puts it back.
 *
 * A variable that is there is left as it is: who sets KMA_DEBUG for a child
 * means it. In LD_PRELOAD ours goes first, what is there stays behind it.
 */
#ifndef ALLOC_ENVIRONMENT_H
#define ALLOC_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

enum { KMA_ENVIRONMENT_MAX = 256 * 1024 };

/* Keep copies of our variables as they are now; once, at start. */
void kma_environment_init(void);

/*
 * Bytes needed to complete envp: 0 when nothing is missing, or when that would
 * take more than KMA_ENVIRONMENT_MAX, which is what a stack is asked for, or
 * when envp cannot be read: the kernel will say so.
 */
size_t kma_environment_size(char *const *envp);

/* The complete environment, made in memory of that size. */
char **kma_environment_fill(char *const *envp, void *memory);

/* Does envp name a supervisor that is not ours? */
bool kma_environment_foreign(char *const *envp);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that shuts itself in by a seccomp filter: what a dump needs of the
 * kernel may end it. So the filter is asked, before it is installed, what it
 * will do to each system call of ours; where one would end the process, or what
 * no dump can do without is refused, there is no dump and nothing of ours is
 * called any more, and the program ends as it would have ended without us.
 *
 * What libkma calls in a thread's life, its name or where its stack lies, and
 * what it advises the kernel about memory, it does without, or does another
 * way: sys_call() does not make a call that would end the program.
 *
 * Seen are filters that come by prctl() and syscall(), as libseccomp's do.
 */
#ifndef ALLOC_SANDBOX_H
#define ALLOC_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

struct sock_fprog;

/* The calling thread, or all of them, is about to be filtered; NULL: mode
 * strict. If that means the end of dumps, it is said now, while it can be. Then
 * the kernel would not: all is as before. One thread at a time. */
void kma_sandbox_enter(const struct sock_fprog *filter, bool all_threads);
void kma_sandbox_refused(void);

/* Is the calling thread filtered? One that starts is if its creator is; of one
 * that nobody tells of, the worst is assumed. */
bool kma_sandbox_is_here(void);
void kma_sandbox_thread_start(bool is_filtered);

extern bool kma_sandbox_is_set; /* some call of ours is forbidden */
/* For the calling thread; third: its argument, which tells madvise()'s apart.
 */
bool kma_sandbox_forbids_call(long number, long third);
/* The thread's id without asking the kernel; 0: not known. */
uint32_t kma_sandbox_tid(void);

/* Nothing may be called when the process ends. */
bool kma_sandbox_forbids_end(void);

/* Stopping the other threads would end the process. */
bool kma_sandbox_forbids_stop(void);

/* No dump can be written; a supervisor may still look. */
bool kma_sandbox_forbids_dump(void);

#endif

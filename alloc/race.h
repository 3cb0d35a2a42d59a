/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ThreadSanitizer has to be told where it watches the allocator (the build
 * option sanitize_threads). Elsewhere all of it is empty.
 */
#ifndef ALLOC_RACE_H
#define ALLOC_RACE_H

/* Its own record of a thread goes in the last round of destructors, so ours
 * has to go a round earlier. */
#ifdef __SANITIZE_THREAD__
enum { KMA_RACE_EXIT_ROUNDS = 1 };
#else
enum { KMA_RACE_EXIT_ROUNDS = 0 };
#endif

#endif

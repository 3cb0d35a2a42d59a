/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libkma's native interface. Every function is thread-safe; what is safe in a
 * signal handler says so.
 */
#ifndef KMA_KMA_H
#define KMA_KMA_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Write a dump of this process to path (created 0600, replaced when complete).
 * path NULL: the template of KMA_DUMP. Returns 0, or -1 with errno. Safe in a
 * signal handler. The other threads are stopped only while their registers are
 * read.
 */
int kma_dump(const char *path);

#ifdef __cplusplus
}
#endif

#endif

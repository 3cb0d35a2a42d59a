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

/*
 * From now on new buffers of the named cache ("kmem_alloc_256"), or of all
 * where cache is NULL, are of the tier: "off", "lite", "audit", "guard".
 * Buffers that exist keep theirs. Returns 0, or -1 with errno EINVAL (no such
 * tier), ENOENT (no such cache) or ENOMEM. KMA_OPTIONS=tier:CACHE=TIER does the
 * same at start.
 */
int kma_set_tier(const char *cache, const char *tier);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which frame of which thread a word of a stack belongs to, or that it is
 * thread storage. Each thread is unwound once, when first asked about. */
#ifndef KDBG_PLACE_FRAMES_H
#define KDBG_PLACE_FRAMES_H

#include "kdbg/session.h"

struct place_frames;

struct err *place_frames_create(struct session *session,
				struct place_frames **ret) MUST_USE;
void place_frames_destroy(struct place_frames *frames);

/* The thread whose stack or thread storage that is; 0: none's. */
uint32_t place_frames_thread(struct place_frames *frames, uint64_t address);

/* Does the word lie in a thread's storage, not in one of its frames? */
bool place_frames_is_storage(struct place_frames *frames, uint64_t address);

/* "thread 71 frame 2 work+0x31 (held.c:25) sp+0x18", "thread 71 thread storage
 * fs-0x10". False: no thread's. */
bool place_frames_describe(struct place_frames *frames, uint64_t address,
			   char *buffer, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What differs between libkma_malloc.so, libkma.so and libkma.a. */
#ifndef ALLOC_INSTANCE_H
#define ALLOC_INSTANCE_H

#include "alloc/cache.h"
#include "dumpfmt/format.h"
#include "dumpfmt/roster.h"

#include <stdint.h>

struct kma_root;
struct roster_ending;

struct kma_instance {
	char name[32];
	enum kma_tier default_tier; /* where the environment says nothing */
	bool interposes; /* the program's calls of libc are ours (interpose.c)
			  */
	/* Fill in text_base .. data_end: what is the library's own. */
	void (*bounds)(struct kma_root *root);
	/* Once options and metadata are there, before the first buffer; and in
	 * the child of a fork. NULL: nothing to do. */
	void (*start)(void);
	void (*forked)(uint32_t parent_pid);
	/* As kma_roster_bye() and kma_roster_range(). NULL: nobody to tell. */
	void (*ended)(enum dump_reason reason, int status, const char *path,
		      int failure);
	bool (*private_range)(uintptr_t *base, uintptr_t *end);
	/* As kma_roster_filtered(), _in_place(), _show(), _stopped(). NULL with
	 * ended. */
	void (*filtered)(void);
	bool (*in_place)(void);
	enum roster_reply (*show)(const struct roster_ending *ending,
				  const struct roster_statement *statement);
	enum roster_reply (*stopped)(const struct roster_statement *statement);
};

extern const struct kma_instance kma_instance;

/* Of a shared library: its segments. */
void kma_bounds_of_segments(struct kma_root *root);

#endif

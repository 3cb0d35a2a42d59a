/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator's half of dumpfmt/layout.h: its structures, described. */
#ifndef ALLOC_SCHEMA_H
#define ALLOC_SCHEMA_H

#include "dumpfmt/layout.h"

extern struct kma_schema_record kma_schema[];
extern const uint32_t kma_schema_count;

#endif

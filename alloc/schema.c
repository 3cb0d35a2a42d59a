/* SPDX-License-Identifier: BSD-2-Clause */
/* Expand the layout's lists into the table a debugger finds from kma_root. */
#include "alloc/schema.h"

#include "alloc/annotate.h"
#include "alloc/audit.h"
#include "alloc/cache.h"
#include "alloc/cell.h"
#include "alloc/client.h"
#include "alloc/foreign.h"
#include "alloc/log.h"
#include "alloc/meta.h"
#include "alloc/module.h"
#include "alloc/pattern.h"
#include "alloc/percpu.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/types.h"
#include "alloc/vmem.h"
#include "alloc/wait.h"

#include <stddef.h>

/* clang-format off */
#define MEMBER(s, f)	(((struct s *)0)->f)

#define RECORD_STRUCT(s, rev) \
	{ #s, "", 0, sizeof(struct s), KMA_SCHEMA_STRUCT, rev, 1, 0 },
#define RECORD_FIELD(s, f, kind) \
	{ #s, #f, offsetof(struct s, f), sizeof(MEMBER(s, f)), \
	  KMA_SCHEMA_##kind, 0, 1, 0 },
#define RECORD_ARRAY(s, f, kind) \
	{ #s, #f, offsetof(struct s, f), sizeof(MEMBER(s, f)[0]), \
	  KMA_SCHEMA_##kind, 0, sizeof(MEMBER(s, f)) / sizeof(MEMBER(s, f)[0]), \
	  sizeof(MEMBER(s, f)[0]) },
#define RECORD_FLEX(s, f, kind) \
	{ #s, #f, offsetof(struct s, f), sizeof(MEMBER(s, f)[0]), \
	  KMA_SCHEMA_##kind, 0, 0, sizeof(MEMBER(s, f)[0]) },
#define RECORD_CONSTANT(name) \
	{ "", #name, (uint64_t)(name), 0, KMA_SCHEMA_CONSTANT, 0, 1, 0 },
#define NOTHING(...)

/* Not const: dumps and cores hold what is writable, and must be readable where
 * this library's file is another one, or gone. */
struct kma_schema_record kma_schema[] = {
	KMA_LAYOUT(RECORD_STRUCT, RECORD_FIELD, RECORD_ARRAY, RECORD_FLEX,
		   NOTHING)
	KMA_CONSTANTS(RECORD_CONSTANT)
};
const uint32_t kma_schema_count = sizeof(kma_schema) / sizeof(kma_schema[0]);

/* A name fits its field, and a UINT is an integer of 1, 2, 4 or 8 bytes. */
#define IS_POWER_TO_8(n) ((n) == 1 || (n) == 2 || (n) == 4 || (n) == 8)
#define FITS_UINT(size)		IS_POWER_TO_8(size)
#define FITS_POINTER(size)	((size) == 8)
#define FITS_TEXT(size)		1
#define FITS_EMBED(size)	1
#define CHECK(s, f, kind, member) \
	static_assert(sizeof(#s) <= KMA_SCHEMA_NAME_SIZE && \
		      sizeof(#f) <= KMA_SCHEMA_NAME_SIZE && \
		      FITS_##kind(sizeof(member)), \
		      #s "." #f " does not fit a schema record");
#define CHECK_FIELD(s, f, kind) CHECK(s, f, kind, MEMBER(s, f))
#define CHECK_ARRAY(s, f, kind) CHECK(s, f, kind, MEMBER(s, f)[0])
KMA_LAYOUT(NOTHING, CHECK_FIELD, CHECK_ARRAY, CHECK_ARRAY, NOTHING)
/* clang-format on */

static_assert(sizeof(kma_schema) / sizeof(kma_schema[0]) <= KMA_SCHEMA_MAX,
	      "a reader refuses more");
static_assert(sizeof(struct kma_bufctl) == 40, "cost of an audited buffer");
static_assert(sizeof(struct kma_log_record) == 32, "cost of a log record");

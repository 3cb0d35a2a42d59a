/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/types.h"

#include "alloc/meta.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/text.h"
#include "alloc/thread.h"
#include "alloc/wait.h"

#include "kma/types.h"

#include <errno.h>
#include <string.h>

struct kma_lock kma_type_lock;

/* Guarded by kma_type_lock. */
static struct kma_type *numbered[KMA_TYPES_NUMBERED];
static uint32_t last_number;

/* Caller holds the lock. */
static struct kma_type *create(const char *name, size_t limit)
{
	struct kma_type *type = last_number < KMA_TYPES_MAX - 1
					? kma_meta_alloc(sizeof(*type))
					: NULL;

	if (!type)
		return NULL;
	strncpy(type->name, name, sizeof(type->name) - 1);
	type->limit = limit ? limit : UINT64_MAX;
	type->number = ++last_number;
	type->next = kma_root.types;
	__atomic_store_n(&kma_root.types, type, __ATOMIC_RELEASE);
	return type;
}

struct kma_type *kma_type_create(const char *name, const char *description,
				 size_t limit)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_type *type = NULL;

	(void)description;
	if (kma_init()) {
		kma_lock_acquire(&kma_type_lock);
		type = create(name, limit);
		kma_lock_release(&kma_type_lock);
	}
	kma_thread_leave(self);
	if (!type)
		errno = ENOMEM;
	return type;
}

enum { NUMBER_MBUF = 1 };

static const char *const names[KMA_TYPES_NUMBERED] = {
	"free",     "mbuf",      "devbuf",    "socket",     "pcb",
	"routetbl", "hosttbl",   "fragtbl",   "zombie",     "ifaddr",
	"soopts",   "soname",    "namei",     "gprof",      "ioctlops",
	"mapmem",   "cred",      "pgrp",      "session",    "iov",
	"mount",    "fhandle",   "NFS req",   "NFS mount",  "NFS node",
	"vnodes",   "namecache", "UFS quota", "UFS mount",  "shm",
	"VM map",   "VM mapent", "VM object", "VM objhash", "VM pmap",
	"VM pvmap", "VM pager",  "VM pgdata", "file",       "file desc",
	"lockf",    "proc",      "subproc",   "type 43",    "type 44",
	"type 45",  "type 46",   "type 47",   "type 48",    "temp",
};

struct kma_type *kma_type_numbered(int number)
{
	struct kma_thread *self;
	struct kma_type *type;

	if (number < 0 || number >= KMA_TYPES_NUMBERED)
		return NULL;
	type = __atomic_load_n(&numbered[number], __ATOMIC_ACQUIRE);
	if (type)
		return type;
	self = kma_thread_enter();
	if (kma_init()) {
		kma_lock_acquire(&kma_type_lock);
		type = numbered[number];
		if (!type)
			type = create(names[number], 0);
		if (type && number == NUMBER_MBUF)
			type->hoards = true; /* as 386BSD has it */
		__atomic_store_n(&numbered[number], type, __ATOMIC_RELEASE);
		kma_lock_release(&kma_type_lock);
	}
	kma_thread_leave(self);
	return type;
}

const char *kma_type_name(const struct kma_type *type)
{
	return type ? type->name : "";
}

struct kma_type *kma_type_of_number(uint32_t number)
{
	struct kma_type *type =
		__atomic_load_n(&kma_root.types, __ATOMIC_ACQUIRE);

	while (type && type->number != number)
		type = type->next;
	return type;
}

void kma_type_set_limit(struct kma_type *type, size_t limit)
{
	__atomic_store_n(&type->limit, limit ? limit : UINT64_MAX,
			 __ATOMIC_RELEASE);
	kma_wait_wake();
}

void kma_type_set_hoard(struct kma_type *type, int hoards)
{
	__atomic_store_n(&type->hoards, hoards != 0, __ATOMIC_RELEASE);
}

uint64_t kma_type_stat(const struct kma_type *type, const char *name)
{
	const struct {
		const char *name;
		uint64_t value;
	} stats[] = {
		{ "inuse", type->inuse }, { "memuse", type->memuse },
		{ "limit", type->limit }, { "maxused", type->maxused },
		{ "calls", type->calls }, { "fails", type->fails },
		{ "sizes", type->sizes }, { "limblocks", type->limblocks },
	};

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++)
		if (strcmp(stats[i].name, name) == 0)
			return stats[i].value;
	return 0;
}

void kma_type_destroy(struct kma_type *type)
{
	char detail[96];
	struct kma_text text;

	if (!type || type->inuse == 0)
		return;
	kma_text_init(&text, detail, sizeof(detail));
	kma_text_string(&text, type->name);
	kma_text_string(&text, ", ");
	kma_text_decimal(&text, type->inuse);
	kma_text_string(&text, " buffers, ");
	kma_text_decimal(&text, type->memuse);
	kma_text_string(&text, " bytes");
	kma_report(&(struct kma_report){ .code = KMA_ERROR_LEAK,
					 .function = "MALLOC_UNDEFINE",
					 .detail = detail,
					 .may_go_on = true });
}

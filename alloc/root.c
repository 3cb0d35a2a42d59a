/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the allocator.
 *
 * No constructor is relied on: the first call, often ld.so's own before any
 * constructor has run, does the work, and others wait for it. The part that
 * every allocation needs comes first and calls nothing that could allocate;
 * what comes after (logs, dump triggers, fork handlers) may allocate, since by
 * then the allocator stands.
 */
#include "alloc/root.h"

#include "alloc/audit.h"
#include "alloc/clock.h"
#include "alloc/dump.h"
#include "alloc/foreign.h"
#include "alloc/fork.h"
#include "alloc/instance.h"
#include "alloc/meta.h"
#include "alloc/options.h"
#include "alloc/reap.h"
#include "alloc/sample.h"
#include "alloc/sandbox.h"
#include "alloc/schema.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/auxv.h>

/*
 * Written to at start, so that it is private memory which a core file keeps;
 * the magic is there from the beginning, which puts it in .data.
 */
struct kma_root kma_root __attribute__((aligned(KMA_PAGE_SIZE))) = {
	.head.magic = { KMA_ROOT_MAGIC0, KMA_ROOT_MAGIC1 },
};

enum init_state { INIT_NONE, INIT_RUNNING, INIT_READY, INIT_FAILED };

static uint32_t init_state; /* enum init_state; a futex */
static uint32_t init_thread;

static void fill_head(void)
{
	kma_root.head.self = (uintptr_t)&kma_root;
	kma_root.head.root_size = sizeof(kma_root);
	kma_root.head.schema = (uintptr_t)kma_schema;
	kma_root.head.schema_count = kma_schema_count;
	kma_root.head.schema_record_size = sizeof(struct kma_schema_record);
}

static uint64_t random_secret(void)
{
	const uint64_t *random =
		(const uint64_t *)getauxval(AT_RANDOM); /* 16 bytes */
	uint64_t secret = kma_clock_now() * UINT64_C(0x9e3779b97f4a7c15);

	return random ? secret ^ random[0] ^ random[1] << 1 : secret;
}

static void fill_root(void)
{
	fill_head();
	memcpy(kma_root.version, KMA_VERSION, sizeof(KMA_VERSION));
	memcpy(kma_root.instance, kma_instance.name, sizeof(kma_instance.name));
	kma_root.pid = sys_getpid();
	kma_root.tier = kma_options.tier;
	kma_root.audit_depth = kma_options.audit_depth;
	kma_root.start_time = kma_clock_now();
	kma_root.canary_secret = random_secret();
	kma_root.reserve_base = kma_reserve.base;
	kma_root.reserve_end = kma_reserve.heap.held;
	kma_root.heap_base = kma_reserve.heap.base;
	kma_root.heap_committed = kma_reserve.heap.committed;
	kma_root.heap_end = kma_reserve.heap.held;
	kma_root.page_map = (uint64_t *)kma_reserve.page_map.base;
	kma_root.foreign = &kma_foreign_memory;
	kma_instance.bounds(&kma_root);
}

static bool start_core(void)
{
	kma_clock_init();
	kma_options_init(kma_instance.default_tier);
	if (!kma_reserve_init())
		return false;
	if (kma_instance.start)
		kma_instance.start();
	fill_root();
	kma_sample_init();
	kma_pages_set_limit((kma_options.limit + KMA_PAGE_SIZE - 1) >>
			    KMA_PAGE_SHIFT);
	kma_meta_init();
	if (!kma_arena_init() || !kma_cache_init())
		return false;
	kma_thread_init();
	kma_depot_init();
	return kma_audit_init();
}

static void start_rest(void)
{
	kma_fork_init();
	kma_dump_init();
}

/* False: the calling thread itself is starting the allocator. */
static bool wait_for_start(void)
{
	if (__atomic_load_n(&init_thread, __ATOMIC_RELAXED) == sys_gettid())
		return false;
	while (__atomic_load_n(&init_state, __ATOMIC_ACQUIRE) == INIT_RUNNING)
		sys_call(SYS_futex, (long)(uintptr_t)&init_state,
			 FUTEX_WAIT_PRIVATE, INIT_RUNNING, 0, 0, 0);
	return __atomic_load_n(&init_state, __ATOMIC_ACQUIRE) == INIT_READY;
}

static void start(void)
{
	__atomic_store_n(&init_thread, sys_gettid(), __ATOMIC_RELAXED);
	bool ready = start_core();

	__atomic_store_n(&init_state, ready ? INIT_READY : INIT_FAILED,
			 __ATOMIC_RELEASE);
	sys_call(SYS_futex, (long)(uintptr_t)&init_state, FUTEX_WAKE_PRIVATE,
		 INT32_MAX, 0, 0, 0);
	if (ready)
		start_rest();
	else
		kma_message("no address space for the heap");
}

bool kma_init(void)
{
	uint32_t state = __atomic_load_n(&init_state, __ATOMIC_ACQUIRE);

	if (__builtin_expect(state == INIT_READY, 1))
		return true;
	if (state == INIT_NONE &&
	    __atomic_compare_exchange_n(&init_state, &state, INIT_RUNNING,
					false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		start();
		return __atomic_load_n(&init_state, __ATOMIC_ACQUIRE) ==
		       INIT_READY;
	}
	if (state == INIT_RUNNING)
		return wait_for_start();
	return state == INIT_READY;
}

/* A program that never allocates still has a heap to look at. Not before may a
 * thread be started: the first call is often ld.so's. */
__attribute__((constructor)) static void start_at_load(void)
{
	kma_sandbox_thread_start(false);
	if (kma_init() && kma_options.reap_interval)
		kma_reap_start();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Contract 37: an import that fails is ENOMEM, or a sleep until something is
 * free; an import may itself allocate; limits hold, and raising one wakes.
 */
#include "tests/contract/contract.h"

#include "kma/vmem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { WAKE_ROUNDS = 1000 };

static void doze(unsigned milliseconds)
{
	nanosleep(&(struct timespec){ .tv_nsec = milliseconds * 1000000L },
		  NULL);
}

static uint64_t cpu_microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- imports ---------------------------------------------------------------
 */

static atomic_int imports, releases;
static int spans_left; /* that may be imported */

static int import_some(const struct kma_vmem_source *source, size_t *size,
		       unsigned flags, uintptr_t *address)
{
	CHECK((flags & (KMA_VM_SLEEP | KMA_VM_NOSLEEP)) != 0);
	CHECK(strcmp(source->argument, "mine") == 0);
	if (spans_left == 0)
		return ENOMEM;
	spans_left--;
	*address = (uintptr_t)(1 + imports++) << 20;
	*size = *size < 4096 ? 4096 : *size; /* more than was asked for */
	return 0;
}

static void release_some(const struct kma_vmem_source *source,
			 uintptr_t address, size_t size)
{
	CHECK(strcmp(source->argument, "mine") == 0);
	CHECK(address >= 1 << 20 && size == 4096);
	releases++;
	spans_left++;
}

static const struct kma_vmem_source mine = {
	.import = import_some,
	.release = release_some,
	.argument = "mine",
};

static void an_import_that_fails(void)
{
	struct kma_vmem *vm =
		kma_vmem_xcreate("imports", 0, 0, 64, &mine, 0, 0);
	uintptr_t a, b, c;

	imports = releases = 0;
	spans_left = 0;
	CHECK(kma_vmem_alloc(vm, 100, KMA_VM_NOSLEEP, &a) == ENOMEM);
	spans_left = 1;
	CHECK(kma_vmem_alloc(vm, 100, KMA_VM_NOSLEEP, &a) == 0);
	CHECK(kma_vmem_alloc(vm, 3968, KMA_VM_NOSLEEP, &b) == 0);
	CHECK(b >> 20 == a >> 20 && imports == 1);
	CHECK(kma_vmem_alloc(vm, 1, KMA_VM_NOSLEEP, &c) == ENOMEM);
	CHECK(releases == 0);
	kma_vmem_free(vm, a, 100);
	kma_vmem_free(vm, b, 3968);
	CHECK(releases == 1);
	kma_vmem_destroy(vm);
}

struct sleeper {
	struct kma_vmem *vm;
	size_t size;
	uintptr_t at;
	atomic_bool has;
	uint64_t cpu;
};

static void *sleep_for_it(void *argument)
{
	struct sleeper *sleeper = argument;
	uint64_t before = cpu_microseconds();

	CHECK(kma_vmem_alloc(sleeper->vm, sleeper->size, KMA_VM_SLEEP,
			     &sleeper->at) == 0);
	sleeper->cpu = cpu_microseconds() - before;
	sleeper->has = true;
	return NULL;
}

static void a_sleeper_gets_what_is_freed(void)
{
	struct kma_vmem *vm =
		kma_vmem_xcreate("sleepers", 0, 0, 64, &mine, 0, 0);
	struct sleeper sleeper = { .vm = vm, .size = 128 };
	pthread_t thread;
	uintptr_t a, b;

	spans_left = 1;
	CHECK(kma_vmem_alloc(vm, 2048, KMA_VM_NOSLEEP, &a) == 0);
	CHECK(kma_vmem_alloc(vm, 2048, KMA_VM_NOSLEEP, &b) == 0);
	CHECK(pthread_create(&thread, NULL, sleep_for_it, &sleeper) == 0);
	doze(200);
	CHECK(!sleeper.has);
	kma_vmem_free(vm, b, 2048);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(sleeper.at == b);
	if (!getenv("KDBG_TEST_SHORT")) /* where all takes long */
		CHECK(sleeper.cpu < 20000);
	kma_vmem_free(vm, sleeper.at, 128);
	kma_vmem_free(vm, a, 2048);
	CHECK(kma_vmem_size(vm, KMA_VMEM_ALLOC | KMA_VMEM_FREE) == 0);
	kma_vmem_destroy(vm);
}

/* A child that waits gets what another child of the source gives back. */
static void a_sleeper_across_arenas(void)
{
	struct kma_vmem *source =
		kma_vmem_create("source", 4096, 4096, 64, NULL, 0, 0);
	struct kma_vmem *one = kma_vmem_create("one", 0, 0, 64, source, 0, 0);
	struct kma_vmem *two = kma_vmem_create("two", 0, 0, 64, source, 0, 0);
	struct sleeper sleeper = { .vm = two, .size = 4096 };
	pthread_t thread;
	uintptr_t at;

	CHECK(kma_vmem_alloc(one, 4000, KMA_VM_NOSLEEP, &at) == 0);
	CHECK(pthread_create(&thread, NULL, sleep_for_it, &sleeper) == 0);
	doze(100);
	CHECK(!sleeper.has);
	kma_vmem_free(one, at, 4000);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(sleeper.at == 4096);
	kma_vmem_free(two, sleeper.at, 4096);
	kma_vmem_destroy(two);
	kma_vmem_destroy(one);
	kma_vmem_destroy(source);
}

/* Does the thread stand in a system call: in its futex, here? */
static bool is_asleep(int task)
{
	char text[512] = "";
	const char *state;

	CHECK(pread(task, text, sizeof(text) - 1, 0) > 0);
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

static int open_task(pid_t tid)
{
	char path[64];
	int task;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	task = open(path, O_RDONLY);
	CHECK(task >= 0);
	return task;
}

static atomic_int waker_round, sleeper_round, sleeper_tid;

static void *sleep_often(void *argument)
{
	struct kma_vmem *vm = argument;
	uintptr_t at;

	sleeper_tid = gettid();
	for (int round = 1; round <= WAKE_ROUNDS; round++) {
		while (waker_round < round)
			sched_yield();
		CHECK(kma_vmem_alloc(vm, 4096, KMA_VM_SLEEP, &at) == 0);
		kma_vmem_free(vm, at, 4096);
		sleeper_round = round;
	}
	return NULL;
}

/*
 * Who sleeps also looks again by itself, at first after a tenth of a second: a
 * thousand times that is longer than the alarm, so it is woken or this fails.
 */
static void a_free_wakes(void)
{
	struct kma_vmem *vm =
		kma_vmem_create("wake", 4096, 4096, 4096, NULL, 0, 0);
	pthread_t thread;
	uintptr_t at;

	CHECK(pthread_create(&thread, NULL, sleep_often, vm) == 0);
	while (!sleeper_tid)
		sched_yield();
	int task = open_task(sleeper_tid);

	alarm(WAKE_ROUNDS / 10 - 10);
	for (int round = 1; round <= WAKE_ROUNDS; round++) {
		CHECK(kma_vmem_alloc(vm, 4096, KMA_VM_NOSLEEP, &at) == 0);
		waker_round = round;
		while (!is_asleep(task))
			sched_yield();
		kma_vmem_free(vm, at, 4096);
		while (sleeper_round < round)
			sched_yield();
	}
	alarm(0);
	CHECK(pthread_join(thread, NULL) == 0);
	close(task);
	kma_vmem_destroy(vm);
}

/* --- limits ----------------------------------------------------------------
 */

static void a_limit_holds_and_wakes(void)
{
	struct kma_vmem *vm =
		kma_vmem_create("limited", 0, 1 << 20, 1, NULL, 0, 0);
	struct sleeper sleeper = { .vm = vm, .size = 600 };
	pthread_t thread;
	uintptr_t a, b;

	kma_vmem_set_limit(vm, 1000);
	CHECK(kma_vmem_alloc(vm, 1001, KMA_VM_NOSLEEP, &a) == ENOMEM);
	CHECK(kma_vmem_alloc(vm, 600, KMA_VM_NOSLEEP, &a) == 0);
	CHECK(kma_vmem_alloc(vm, 401, KMA_VM_NOSLEEP, &b) == ENOMEM);
	CHECK(kma_vmem_alloc(vm, 400, KMA_VM_NOSLEEP, &b) == 0);
	kma_vmem_free(vm, b, 400);
	CHECK(pthread_create(&thread, NULL, sleep_for_it, &sleeper) == 0);
	doze(100);
	CHECK(!sleeper.has);
	kma_vmem_set_limit(vm, 1200);
	CHECK(pthread_join(thread, NULL) == 0);
	kma_vmem_free(vm, sleeper.at, 600);
	kma_vmem_free(vm, a, 600);
	kma_vmem_destroy(vm);
}

/* --- an import that allocates ----------------------------------------------
 */

static int import_with_malloc(const struct kma_vmem_source *source,
			      size_t *size, unsigned flags, uintptr_t *address)
{
	struct kma_vmem *source_arena = source->arena;
	char *note = malloc(100);
	uintptr_t other;

	(void)flags;
	CHECK(note);
	strcpy(note, "an import may do what it likes");
	/* Of its own source twice over, and of a cache. */
	CHECK(kma_vmem_alloc(source_arena, 64, KMA_VM_SLEEP, &other) == 0);
	int failed = kma_vmem_alloc(source_arena, *size, KMA_VM_SLEEP, address);

	kma_vmem_free(source_arena, other, 64);
	free(note);
	return failed;
}

static void an_import_that_allocates(void)
{
	struct kma_vmem *source =
		kma_vmem_create("base", 1 << 16, 1 << 24, 64, NULL, 256, 0);
	const struct kma_vmem_source from = {
		.import = import_with_malloc,
		.arena = source,
	};
	struct kma_vmem *vm =
		kma_vmem_xcreate("above", 0, 0, 64, &from, 512, 0);
	enum { COUNT = 10000 };
	static uintptr_t at[COUNT];

	for (unsigned i = 0; i < COUNT; i++)
		CHECK(kma_vmem_alloc(vm, 1 + i % 700, KMA_VM_SLEEP, &at[i]) ==
		      0);
	for (unsigned i = 0; i < COUNT; i++)
		kma_vmem_free(vm, at[i], 1 + i % 700);
	kma_vmem_reap(vm);
	CHECK(kma_vmem_size(vm, KMA_VMEM_ALLOC) == 0);
	CHECK(kma_vmem_size(vm, KMA_VMEM_FREE) > 0); /* has no release */
	kma_vmem_destroy(vm);
}

/* --- threads ---------------------------------------------------------------
 */

static struct kma_vmem *shared;
static unsigned char *owners;

static void *churn(void *argument)
{
	enum { HELD = 64 };
	struct {
		uintptr_t at;
		size_t size;
	} mine_now[HELD] = { { 0 } };
	uint64_t state = (uintptr_t)argument * 0x9e3779b97f4a7c15 + 1;
	unsigned char id = (unsigned char)(uintptr_t)argument;

	for (unsigned n = 0; n < 60000; n++) {
		state = state * 6364136223846793005 + 1442695040888963407;
		unsigned i = (unsigned)(state >> 40) % HELD;

		if (mine_now[i].size) {
			for (size_t b = 0; b < mine_now[i].size; b++)
				CHECK(owners[mine_now[i].at + b] == id);
			memset(owners + mine_now[i].at, 0, mine_now[i].size);
			kma_vmem_free(shared, mine_now[i].at, mine_now[i].size);
			mine_now[i].size = 0;
			continue;
		}
		mine_now[i].size = 1 + (state >> 20) % 100;
		CHECK(kma_vmem_alloc(shared, mine_now[i].size, KMA_VM_SLEEP,
				     &mine_now[i].at) == 0);
		for (size_t b = 0; b < mine_now[i].size; b++)
			CHECK(owners[mine_now[i].at + b] == 0);
		memset(owners + mine_now[i].at, id, mine_now[i].size);
	}
	for (unsigned i = 0; i < HELD; i++)
		if (mine_now[i].size) {
			memset(owners + mine_now[i].at, 0, mine_now[i].size);
			kma_vmem_free(shared, mine_now[i].at, mine_now[i].size);
		}
	return NULL;
}

static void threads_share_an_arena(void)
{
	enum { THREADS = 4, BYTES = 64 << 10 };
	struct kma_vmem *source =
		kma_vmem_create("shared_source", 0, BYTES, 1, NULL, 0, 0);
	pthread_t threads[THREADS];

	owners = calloc(BYTES, 1);
	shared = kma_vmem_create("shared", 0, 0, 1, source, 16,
				 KMA_VMC_LARGEIMPORT);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, churn,
				     (void *)(i + 1)) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	kma_vmem_reap(shared);
	CHECK(kma_vmem_size(shared, KMA_VMEM_ALLOC | KMA_VMEM_FREE) == 0);
	CHECK(kma_vmem_size(source, KMA_VMEM_ALLOC) == 0);
	kma_vmem_destroy(shared);
	kma_vmem_destroy(source);
	free(owners);
}

int main(void)
{
	an_import_that_fails();
	a_sleeper_gets_what_is_freed();
	a_sleeper_across_arenas();
	a_free_wakes();
	a_limit_holds_and_wakes();
	an_import_that_allocates();
	threads_share_an_arena();
	return 0;
}

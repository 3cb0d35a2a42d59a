/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Contract 36: whatever does not come back as it was given is told by name, at
 * the call; next fit repeats no address before it wraps.
 */
#include "tests/contract/contract.h"

#include "kma/vmem.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

static struct kma_vmem *vm;

/* Run misuse in a child: it dies by SIGABRT and says text. */
static void is_told(void (*misuse)(void), const char *text)
{
	char said[8192] = "";
	size_t size = 0;
	ssize_t n;
	int out[2], status;

	CHECK(pipe(out) == 0);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(out[1], 2);
		misuse();
		_exit(0);
	}
	close(out[1]);
	while ((n = read(out[0], said + size, sizeof(said) - 1 - size)) > 0)
		size += (size_t)n;
	close(out[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	if (!strstr(said, text) || !WIFSIGNALED(status)) {
		dprintf(2, "expected '%s', found '%s'\n", text, said);
		contract_check(0, "told", __FILE__, __LINE__);
	}
	CHECK(WTERMSIG(status) == SIGABRT);
}

static uintptr_t piece, segment, constrained;

static void xfree_of_a_cached_piece(void)
{
	kma_vmem_xfree(vm, piece, 3);
}

static void free_of_a_constrained_one(void)
{
	kma_vmem_free(vm, constrained, 16);
}

static void a_piece_one_byte_short(void)
{
	kma_vmem_free(vm, piece, 2);
}

static void a_piece_of_another_class(void)
{
	kma_vmem_free(vm, piece, 40);
}

static void a_piece_as_large(void)
{
	kma_vmem_free(vm, piece, 4000);
}

static void a_segment_one_byte_short(void)
{
	kma_vmem_free(vm, segment, 999);
}

static void a_segment_one_byte_long(void)
{
	kma_vmem_xfree(vm, segment, 1001);
}

static void the_middle_of_a_segment(void)
{
	kma_vmem_free(vm, segment + 16, 984);
}

static void an_address_of_no_span(void)
{
	kma_vmem_free(vm, 8, 16);
}

static void twice(void)
{
	kma_vmem_free(vm, segment, 1000);
	kma_vmem_free(vm, segment, 1000);
}

static void a_piece_twice(void)
{
	kma_vmem_free(vm, piece, 3);
	kma_vmem_free(vm, piece, 3);
}

static void nothing_at_all(void)
{
	uintptr_t at;

	kma_vmem_alloc(vm, 0, KMA_VM_SLEEP, &at);
}

static void neither_flag(void)
{
	uintptr_t at;

	kma_vmem_alloc(vm, 1, 0, &at);
}

static void a_foreign_flag(void)
{
	uintptr_t at;

	kma_vmem_alloc(vm, 1, KMA_VM_SLEEP | 0x1000, &at);
}

static void two_fits(void)
{
	uintptr_t at;

	kma_vmem_alloc(vm, 1, KMA_VM_SLEEP | KMA_VM_BESTFIT | KMA_VM_INSTANTFIT,
		       &at);
}

static void more_than_there_is(void)
{
	uintptr_t at;

	kma_vmem_alloc(vm, 1 << 30, KMA_VM_SLEEP, &at);
}

static void a_crossing_that_must_be(void)
{
	uintptr_t at;

	kma_vmem_xalloc(vm, 64, 0, 0, 32, 0, UINTPTR_MAX, KMA_VM_NOSLEEP, &at);
}

static void panic_without_room(void)
{
	uintptr_t at;

	kma_vmem_alloc(vm, 1 << 30, KMA_VM_NOSLEEP | KMA_VM_PANIC, &at);
}

static void a_live_arena(void)
{
	kma_vmem_destroy(vm);
}

static void every_misuse_is_told(void)
{
	vm = kma_vmem_create("tiny", 1 << 16, 1 << 16, 16, NULL, 64, 0);
	CHECK(vm);
	CHECK(kma_vmem_alloc(vm, 3, KMA_VM_NOSLEEP, &piece) == 0);
	CHECK(kma_vmem_alloc(vm, 1000, KMA_VM_NOSLEEP, &segment) == 0);
	CHECK(kma_vmem_xalloc(vm, 16, 32, 0, 0, 0, UINTPTR_MAX, KMA_VM_NOSLEEP,
			      &constrained) == 0);
	is_told(xfree_of_a_cached_piece, "kma: BADADDR: kma_vmem_xfree(tiny");
	is_told(free_of_a_constrained_one, "kma: BADADDR: kma_vmem_free(tiny");
	is_told(a_piece_one_byte_short, "it was allocated with size 3\n");
	is_told(a_piece_of_another_class, "kma: BADSIZE: kma_vmem_free(tiny");
	is_told(a_piece_as_large, "kma: BADSIZE: kma_vmem_free(tiny");
	is_told(a_segment_one_byte_short, "it was allocated with size 1000\n");
	is_told(a_segment_one_byte_long, "kma: BADSIZE: kma_vmem_xfree(tiny");
	is_told(the_middle_of_a_segment, "kma: BADADDR: kma_vmem_free(tiny");
	is_told(an_address_of_no_span, "kma: BADADDR: kma_vmem_free(tiny, 0x8");
	is_told(twice, "kma: BADADDR: kma_vmem_free(tiny");
	is_told(a_piece_twice, "kma: BADADDR: kma_vmem_free(tiny");
	is_told(nothing_at_all, "kma: ZEROSIZE: kma_vmem_alloc(tiny, 0)");
	is_told(neither_flag, "kma: BADFLAGS: kma_vmem_alloc(tiny");
	is_told(a_foreign_flag, "kma: BADFLAGS: kma_vmem_alloc(tiny");
	is_told(two_fits, "kma: BADFLAGS: kma_vmem_alloc(tiny");
	is_told(more_than_there_is, "kma: IMPOSSIBLE: kma_vmem_alloc(tiny");
	is_told(a_crossing_that_must_be, "kma: IMPOSSIBLE: kma_vmem_xalloc(");
	is_told(panic_without_room, "kma: LIMIT: kma_vmem_alloc(tiny");
	is_told(a_live_arena, ", size 1000");
	kma_vmem_free(vm, piece, 3);
	kma_vmem_free(vm, segment, 1000);
	kma_vmem_xfree(vm, constrained, 16);
	kma_vmem_destroy(vm);
}

static void what_passes_goes_on(void)
{
	struct kma_vmem *leaky = kma_vmem_create("leaky", 0, 100, 1, NULL, 0,
						 KMA_VMC_LEAKS_PASS);
	int saved = dup(2), quiet[2];
	uintptr_t at;

	CHECK(kma_vmem_alloc(leaky, 5, KMA_VM_NOSLEEP, &at) == 0);
	CHECK(pipe(quiet) == 0);
	dup2(quiet[1], 2);
	kma_vmem_destroy(leaky);
	dup2(saved, 2);
	kma_vmem_free(leaky, at, 5); /* it is still there */
	kma_vmem_destroy(leaky);
	/* Never to be had, and said to be no misuse. */
	leaky = kma_vmem_create("small", 0, 100, 1, NULL, 0, 0);
	CHECK(kma_vmem_alloc(leaky, 101, KMA_VM_SLEEP | KMA_VM_MAYFAIL, &at) ==
	      ENOMEM);
	kma_vmem_destroy(leaky);
}

/* Each address once a round, though each is free again at once. */
static void next_fit_goes_round(void)
{
	enum { COUNT = 300 };
	struct kma_vmem *ids = kma_vmem_create("ids", 1, COUNT, 1, NULL, 0,
					       KMA_VMC_IDENTIFIER);
	unsigned seen[COUNT + 1] = { 0 };
	uintptr_t at;

	for (unsigned n = 0; n < 3 * COUNT; n++) {
		CHECK(kma_vmem_alloc(ids, 1, KMA_VM_NOSLEEP | KMA_VM_NEXTFIT,
				     &at) == 0);
		CHECK(at >= 1 && at <= COUNT);
		CHECK(seen[at] == n / COUNT);
		seen[at]++;
		kma_vmem_free(ids, at, 1);
	}
	kma_vmem_destroy(ids);
}

int main(void)
{
	every_misuse_is_told();
	what_passes_goes_on();
	next_fit_goes_round();
	return 0;
}

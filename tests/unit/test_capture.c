/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The unwinder beside glibc's backtrace(), frame by frame.
 *
 * Usage: test_capture LIBRARY COPY. Two files of the same code, whose frames
 * differ in size.
 */
#include "tests/test_util.h"
#include "tests/unit/unwind_paths.h"

#include "alloc/module.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { FRAMES = 200 };

struct pair {
	void *theirs[FRAMES];
	uint64_t ours[FRAMES];
	int their_depth;
	size_t our_depth;
	uint16_t flags;
};

/*
 * Compare from the caller of both on. Where a signal came, backtrace() has the
 * PC and we have the PC plus one, and the same for its trampoline.
 */
static const char *difference(const struct pair *p, int their_first,
			      size_t our_first)
{
	static char text[200];
	int depth = p->their_depth - their_first;

	for (int i = 0; i < depth; i++) {
		uint64_t theirs = (uint64_t)p->theirs[their_first + i];
		size_t at = our_first + (size_t)i;
		uint64_t ours = at < p->our_depth ? p->ours[at] : 0;

		if (ours == theirs || ours == theirs + 1)
			continue;
		snprintf(text, sizeof(text),
			 "frame %d of %d: %#lx, backtrace() has %#lx", i, depth,
			 (unsigned long)ours, (unsigned long)theirs);
		return text;
	}
	if (p->our_depth != our_first + (size_t)depth)
		return "deeper than backtrace()";
	return p->flags ? "flags" : NULL;
}

__attribute__((noinline)) static int compare_here(void *argument)
{
	const char **found = argument;
	struct pair p;

	p.their_depth = backtrace(p.theirs, FRAMES);
	p.our_depth = kma_stack_capture(p.ours, FRAMES, &p.flags);
	/* theirs: compare_here, its caller; ours has the capture before it */
	*found = difference(&p, 1, 2);
	return *found ? 1 : 0;
}

static void random_paths_match(int count, int longest)
{
	unsigned char step[64];

	for (int i = 0; i < count; i++) {
		const char *found = NULL;
		struct path path = { step, 1 + random_byte() % longest,
				     compare_here, &found };

		for (size_t k = 0; k < sizeof(step); k++)
			step[k] = random_byte();
		path_call(&path);
		if (found)
			fail_msg("path %d: %s", i, found);
	}
}

static void stacks_are_those_of_backtrace(void **state)
{
	(void)state;
	random_paths_match(2000, 24);
}

static void *run_thread(void *argument)
{
	(void)argument;
	random_paths_match(200, 24);
	return NULL;
}

static void a_thread_starts_at_clone(void **state)
{
	(void)state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_thread, NULL), 0);
	pthread_join(thread, NULL);
}

static const char *handler_found;

static void on_alternate_stack(int signal)
{
	(void)signal;
	compare_here(&handler_found);
}

static void an_alternate_stack_leads_back(void **state)
{
	(void)state;
	static char memory[65536];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };
	struct sigaction action = { .sa_handler = on_alternate_stack,
				    .sa_flags = SA_ONSTACK };

	assert_int_equal(sigaltstack(&stack, NULL), 0);
	sigaction(SIGUSR2, &action, NULL);
	handler_found = "not called";
	raise(SIGUSR2);
	if (handler_found)
		fail_msg("%s", handler_found);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
}

static ucontext_t main_context, coroutine_context;
static const char *coroutine_found;

static void coroutine(void)
{
	compare_here(&coroutine_found);
}

static void a_coroutine_has_its_own_stack(void **state)
{
	(void)state;
	char *memory = malloc(1 << 16);

	for (int i = 0; i < 3; i++) {
		getcontext(&coroutine_context);
		coroutine_context.uc_stack.ss_sp = memory;
		coroutine_context.uc_stack.ss_size = 1 << 16;
		coroutine_context.uc_link = &main_context;
		makecontext(&coroutine_context, coroutine, 0);
		coroutine_found = "not called";
		swapcontext(&main_context, &coroutine_context);
		if (coroutine_found)
			fail_msg("%s", coroutine_found);
	}
	free(memory);
}

/*
 * Call function(argument) on the stack that ends at top: by a frame pointer, by
 * another register, and without a word to unwinders.
 */
typedef int switch_function(void *top, int (*function)(void *), void *argument);

extern switch_function switch_by_rbp, switch_by_rbx, switch_untold;
__asm__(".text\n"
	"switch_by_rbp:\n\t.cfi_startproc\n\t"
	"push %rbp\n\t.cfi_def_cfa_offset 16\n\t.cfi_offset 6, -16\n\t"
	"mov %rsp, %rbp\n\t.cfi_def_cfa_register 6\n\t"
	"mov %rdi, %rsp\n\tmov %rdx, %rdi\n\tcall *%rsi\n\t"
	"mov %rbp, %rsp\n\tpop %rbp\n\t.cfi_def_cfa 7, 8\n\tret\n\t"
	".cfi_endproc\n"
	"switch_by_rbx:\n\t.cfi_startproc\n\t"
	"push %rbx\n\t.cfi_def_cfa_offset 16\n\t.cfi_offset 3, -16\n\t"
	"mov %rsp, %rbx\n\t.cfi_def_cfa_register 3\n\t"
	"mov %rdi, %rsp\n\tmov %rdx, %rdi\n\tcall *%rsi\n\t"
	"mov %rbx, %rsp\n\tpop %rbx\n\t.cfi_def_cfa 7, 8\n\tret\n\t"
	".cfi_endproc\n"
	"switch_untold:\n\t"
	"push %rbp\n\tmov %rsp, %rbp\n\t"
	"mov %rdi, %rsp\n\tmov %rdx, %rdi\n\tcall *%rsi\n\t"
	"mov %rbp, %rsp\n\tpop %rbp\n\tret\n");

static char other_stack[1 << 16] __attribute__((aligned(16)));

static void switch_and_compare(switch_function *by)
{
	const char *found = "not called";

	by(other_stack + sizeof(other_stack), compare_here, &found);
	if (found)
		fail_msg("%s", found);
}

static void a_stack_switched_by_hand_leads_back(void **state)
{
	(void)state;
	switch_and_compare(switch_by_rbp);
	switch_and_compare(switch_by_rbx);
	/* As in a thread that was never seen on its own. */
	kma_self->stack_top = 0;
	switch_and_compare(switch_by_rbp);
}

static int capture_here(void *argument)
{
	struct pair *p = argument;

	p->our_depth = kma_stack_capture(p->ours, FRAMES, &p->flags);
	return p->our_depth == 0;
}

/* As far as frame pointers lead; it is marked as found by them. */
static void one_without_rules_leads_back_by_frame_pointers(void **state)
{
	struct pair p = { .our_depth = 0 };
	uint64_t caller = 0;

	(void)state;
	switch_untold(other_stack + sizeof(other_stack), capture_here, &p);
	assert_int_equal(p.flags & KMA_STACK_BY_FRAME_POINTER,
			 KMA_STACK_BY_FRAME_POINTER);
	for (size_t i = 0; i < p.our_depth && !caller; i++)
		if (p.ours[i] - (uintptr_t)switch_untold < 32)
			caller = i + 1 < p.our_depth ? p.ours[i + 1] : 0;
	assert_true(
		caller -
			(uintptr_t)
				one_without_rules_leads_back_by_frame_pointers <
		4096);
}

/*
 * Single-step a stretch of code and compare at every instruction: prologues,
 * epilogues, PLT entries, the lazy resolver, libc's assembler.
 */
enum { TRAP_FLAG = 0x100 };
static int steps_taken, steps_wrong;
static char step_found[200];

static void on_step(int signal, siginfo_t *info, void *context)
{
	struct pair p;
	int first = 0;

	(void)signal;
	(void)info;
	p.their_depth = backtrace(p.theirs, FRAMES);
	p.our_depth =
		kma_stack_capture_context(context, p.ours, FRAMES, &p.flags);
	uint64_t pc =
		(uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	while (first < p.their_depth && (uint64_t)p.theirs[first] != pc)
		first++;
	const char *found = difference(&p, first, 0);
	steps_taken++;
	if (found && steps_wrong++ == 0)
		snprintf(step_found, sizeof(step_found), "at %#lx: %s",
			 (unsigned long)pc, found);
}

static int compare_numbers(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

__attribute__((noinline)) static int stepped(void)
{
	int numbers[] = { 5, 4, 3, 2, 1 };
	char text[64];

	qsort(numbers, 5, sizeof(numbers[0]), compare_numbers);
	snprintf(text, sizeof(text), "%d %s %g", numbers[0], "x", 0.5);
	strtod(text, NULL);
	return strcoll(text, "1") + atoi(text);
}

static void every_instruction_has_a_stack(void **state)
{
	(void)state;
	struct sigaction action = { .sa_sigaction = on_step,
				    .sa_flags = SA_SIGINFO },
			 old;

	sigaction(SIGTRAP, &action, &old);
	__asm__ volatile("sub $128, %%rsp\n\tpushfq\n\t"
			 "orq %0, (%%rsp)\n\tpopfq\n\tadd $128, %%rsp"
			 :
			 : "i"(TRAP_FLAG)
			 : "memory", "cc");
	volatile int result = stepped();
	__asm__ volatile("sub $128, %%rsp\n\tpushfq\n\t"
			 "andq %0, (%%rsp)\n\tpopfq\n\tadd $128, %%rsp"
			 :
			 : "i"(~TRAP_FLAG)
			 : "memory", "cc");
	(void)result;
	sigaction(SIGTRAP, &old, NULL);
	assert_true(steps_taken > 1000);
	if (steps_wrong)
		fail_msg("%d of %d differ, first %s", steps_wrong, steps_taken,
			 step_found);
}

static const char *library[2];

typedef int call_function(int (*function)(void *), void *argument);

/* Load it, compare a stack through it, unload it. */
static void call_through(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW);
	const char *found = "not called";

	if (!handle)
		fail_msg("%s", dlerror());
	((call_function *)(uintptr_t)dlsym(handle, "library_call"))(
		compare_here, &found);
	if (found)
		fail_msg("%s: %s", path, found);
	dlclose(handle);
	kma_module_closed();
}

static const struct kma_module *module_named(const char *path)
{
	const struct kma_module *m = kma_root.modules;

	while (m && (!m->path || !strstr(m->path, strrchr(path, '/'))))
		m = m->next;
	return m;
}

/* The second is most often mapped where the first was, with the same PCs: its
 * frames must not be walked as the first one's were. */
static void a_library_opened_late_and_closed(void **state)
{
	(void)state;
	call_through(library[0]);
	call_through(library[1]);
	const struct kma_module *first = module_named(library[0]);
	const struct kma_module *second = module_named(library[1]);

	assert_non_null(first);
	assert_non_null(second);
	assert_true(first->from_time < first->until_time);
	assert_true(first->until_time < second->from_time);
	assert_true(second->from_time < second->until_time);
}

static void a_module_is_entered_when_first_met(void **state)
{
	(void)state;
	uintptr_t pc = (uintptr_t)dlsym(RTLD_DEFAULT, "backtrace");
	const struct kma_module *libc = kma_module_find(pc);
	const struct kma_module *self =
		kma_module_find((uintptr_t)compare_here);

	assert_non_null(libc);
	assert_non_null(strstr(libc->path, "libc.so.6"));
	assert_int_equal(libc->build_id_size, 20);
	assert_ptr_equal(kma_module_find(pc + 1), libc);
	assert_non_null(self);
	assert_int_equal(self->path[0], '/');
	assert_non_null(strstr(self->path, "test_capture"));
	assert_null(kma_module_find((uintptr_t)state));
}

static uint64_t random_word(void)
{
	uint64_t word = 0;

	for (int i = 0; i < 8; i++)
		word = word << 8 | random_byte();
	return word;
}

/* Registers of a program gone wrong: any answer will do, but no crash. */
static void capture_garbage(uint64_t memory[2048], uintptr_t frames)
{
	uint64_t pc[FRAMES];
	uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "printf");
	ucontext_t context;
	uint16_t flags;

	getcontext(&context);
	greg_t *greg = context.uc_mcontext.gregs;
	for (int i = 0; i < 5000; i++) {
		for (size_t k = 0; k < 2048; k++)
			memory[k] =
				k % 3 ? (uintptr_t)&memory[random_word() % 2048]
				      : code + random_word() % 0x100000;
		greg[REG_RSP] = (greg_t)&memory[random_word() % 2048];
		greg[REG_RBP] = (greg_t)(frames + random_word() % 2048 * 8);
		greg[REG_RIP] = (greg_t)(code + random_word() % 0x100000);
		if (i % 16 == 0)
			greg[i % 3 ? REG_RSP : REG_RBP] = (greg_t)random_word();
		assert_true(kma_stack_capture_context(&context, pc, FRAMES,
						      &flags) > 0);
	}
}

static void garbage_does_not_crash(void **state)
{
	uint64_t memory[2048];

	(void)state;
	capture_garbage(memory, (uintptr_t)memory);
}

/* Frame pointers that lead anywhere into what may be the thread's stack, most
 * of which is not mapped. */
static void garbage_on_another_stack_does_not_crash(void **state)
{
	const struct kma_thread *self = kma_thread_self();

	(void)state;
	for (uintptr_t at = self->stack_low; at < self->stack_top - 16384;
	     at += (self->stack_top - self->stack_low) / 8)
		capture_garbage((uint64_t *)(void *)other_stack, at);
}

static void a_limit_is_kept_and_told(void **state)
{
	(void)state;
	uint64_t pc[2];
	uint16_t flags;

	assert_int_equal(kma_stack_capture(pc, 2, &flags), 2);
	assert_int_equal(flags, KMA_STACK_TRUNCATED);
}

__attribute__((noinline)) static uint32_t recurse(unsigned depth)
{
	volatile uint32_t id = depth ? recurse(depth - 1)
				     : kma_stack_intern(KMA_STACK_OF_ALLOC);

	return id;
}

/* Deeper than a stack holds while it is captured. */
static void a_deep_stack_is_kept_whole(void **state)
{
	enum { DEEP = 20000, LIMIT = 1000 };
	unsigned usual = kma_root.audit_depth;

	(void)state;
	kma_root.audit_depth = 0;
	const struct kma_stack *whole = kma_stack_get(recurse(DEEP));

	assert_true(whole && whole->depth > DEEP && whole->flags == 0);
	kma_root.audit_depth = LIMIT;
	const struct kma_stack *cut = kma_stack_get(recurse(DEEP));

	assert_true(cut && cut->depth == LIMIT &&
		    cut->flags == KMA_STACK_TRUNCATED);
	assert_memory_equal(cut->pc + 1, whole->pc + 1,
			    (LIMIT - 1) * sizeof(cut->pc[0]));
	kma_root.audit_depth = usual;
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_are_those_of_backtrace),
		cmocka_unit_test(a_thread_starts_at_clone),
		cmocka_unit_test(an_alternate_stack_leads_back),
		cmocka_unit_test(a_coroutine_has_its_own_stack),
		cmocka_unit_test(a_stack_switched_by_hand_leads_back),
		cmocka_unit_test(
			one_without_rules_leads_back_by_frame_pointers),
		cmocka_unit_test(every_instruction_has_a_stack),
		cmocka_unit_test(a_library_opened_late_and_closed),
		cmocka_unit_test(a_module_is_entered_when_first_met),
		cmocka_unit_test(a_limit_is_kept_and_told),
		cmocka_unit_test(a_deep_stack_is_kept_whole),
		cmocka_unit_test(garbage_does_not_crash),
		cmocka_unit_test(garbage_on_another_stack_does_not_crash),
	};

	if (count != 3 || !kma_init())
		return 2;
	library[0] = arguments[1];
	library[1] = arguments[2];
	/* The allocator is part of this program: its frames are not cut. */
	kma_root.text_base = kma_root.text_end = 0;
	kma_thread_self();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the allocator knows of the processor: its time counter, the registers
 * a stack walk starts from, and how DWARF numbers them. x86-64; another
 * processor is another branch of this file.
 */
#ifndef ALLOC_ARCH_H
#define ALLOC_ARCH_H

#include "dumpfmt/format.h"

#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <x86intrin.h>

#ifndef __x86_64__
#error "alloc/arch.h knows x86-64 only"
#endif

/* The registers that survive a call, and so can be followed up a stack. */
enum kma_column {
	KMA_COLUMN_RBX,
	KMA_COLUMN_FP,
	KMA_COLUMN_SP,
	KMA_COLUMN_R12,
	KMA_COLUMN_R13,
	KMA_COLUMN_R14,
	KMA_COLUMN_R15,
	KMA_COLUMN_PC,
	KMA_COLUMNS
};

struct kma_registers {
	uintptr_t column[KMA_COLUMNS];
};

/* DWARF's number of a register to our column; -1 for one we do not follow. */
static inline int kma_arch_column(uint64_t dwarf)
{
	switch (dwarf) {
	case 3:
		return KMA_COLUMN_RBX;
	case 6:
		return KMA_COLUMN_FP;
	case 7:
		return KMA_COLUMN_SP;
	case 12:
	case 13:
	case 14:
	case 15:
		return KMA_COLUMN_R12 + (int)dwarf - 12;
	case 16:
		return KMA_COLUMN_PC;
	default:
		return -1;
	}
}

/* The same registers out of the kernel's signal frame. */
static inline struct kma_registers
kma_arch_context_registers(const ucontext_t *context)
{
	const greg_t *greg = context->uc_mcontext.gregs;

	return (struct kma_registers){ {
		[KMA_COLUMN_RBX] = (uintptr_t)greg[REG_RBX],
		[KMA_COLUMN_FP] = (uintptr_t)greg[REG_RBP],
		[KMA_COLUMN_SP] = (uintptr_t)greg[REG_RSP],
		[KMA_COLUMN_R12] = (uintptr_t)greg[REG_R12],
		[KMA_COLUMN_R13] = (uintptr_t)greg[REG_R13],
		[KMA_COLUMN_R14] = (uintptr_t)greg[REG_R14],
		[KMA_COLUMN_R15] = (uintptr_t)greg[REG_R15],
		[KMA_COLUMN_PC] = (uintptr_t)greg[REG_RIP],
	} };
}

/*
 * The registers of the function this is inlined into, as they are between two
 * of its instructions, and that place as the PC: its .eh_frame tells the rest.
 */
__attribute__((always_inline)) static inline void
kma_arch_registers(struct kma_registers *ret)
{
	__asm__ volatile("mov %%rbx, 0(%1)\n\t"
			 "mov %%rbp, 8(%1)\n\t"
			 "mov %%rsp, 16(%1)\n\t"
			 "mov %%r12, 24(%1)\n\t"
			 "mov %%r13, 32(%1)\n\t"
			 "mov %%r14, 40(%1)\n\t"
			 "mov %%r15, 48(%1)\n\t"
			 "lea 0(%%rip), %%rax\n\t"
			 "mov %%rax, 56(%1)"
			 : "=m"(*ret)
			 : "r"(ret->column)
			 : "rax");
}

/* Of the same place only the PC, sp and fp, which plain rules step by. */
__attribute__((always_inline)) static inline void
kma_arch_here(uintptr_t *pc, uintptr_t *sp, uintptr_t *fp)
{
	__asm__ volatile("lea 0(%%rip), %0\n\t"
			 "mov %%rsp, %1\n\t"
			 "mov %%rbp, %2"
			 : "=&r"(*pc), "=&r"(*sp), "=&r"(*fp));
}

/* The page at p is there and may be written: it is as it was. */
static inline void kma_arch_touch(void *p)
{
	__asm__ volatile("orb $0, %0" : "+m"(*(char *)p) : : "cc");
}

/*
 * Add one to a counter that this thread alone writes and others may read. One
 * instruction, where an atomic load and store would be three.
 */
static inline void kma_arch_count(uint64_t *counter)
{
	__asm__("incq %0" : "+m"(*counter) : : "cc");
}

/*
 * *place from one value to another. False: it was not that. Where the process
 * has had but one thread only a signal handler could come between, and between
 * the parts of one instruction none does: a locked one costs 5 ns more.
 */
static inline bool kma_arch_claim(uint64_t *place, uint64_t from, uint64_t to)
{
	bool done;

	if (__libc_single_threaded)
		__asm__ volatile("cmpxchgq %3, %1"
				 : "=@ccz"(done), "+m"(*place), "+a"(from)
				 : "r"(to)
				 : "memory");
	else
		done = __atomic_compare_exchange_n(place, &from, to, false,
						   __ATOMIC_ACQ_REL,
						   __ATOMIC_ACQUIRE);
	return done;
}

/* What general registers held where a signal came; the PC is returned. */
enum { KMA_ARCH_VALUES = 15 };

static inline uintptr_t kma_arch_context_values(const ucontext_t *context,
						uintptr_t *ret)
{
	static const int number[KMA_ARCH_VALUES] = {
		REG_RAX, REG_RDI, REG_RSI, REG_RDX, REG_RCX,
		REG_RBX, REG_RBP, REG_R8,  REG_R9,  REG_R10,
		REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};
	const greg_t *greg = context->uc_mcontext.gregs;

	for (unsigned i = 0; i < KMA_ARCH_VALUES; i++)
		ret[i] = (uintptr_t)greg[number[i]];
	return (uintptr_t)greg[REG_RIP];
}

/* A register by the number that an instruction has for it. */
static inline uintptr_t kma_arch_numbered(const ucontext_t *context,
					  unsigned number)
{
	static const int greg[16] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
		REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
		REG_R12, REG_R13, REG_R14, REG_R15,
	};

	return (uintptr_t)context->uc_mcontext.gregs[greg[number & 15]];
}

/* Where the call or jump at a context's PC reads its target, beside a register
 * (call *8(%rax), jmp *(%rdi,%rcx,8)); 0: it is none of these. */
static inline uintptr_t kma_arch_branch_place(const ucontext_t *context)
{
	enum { NOTRACK = 0x3e, BND = 0xf2, GROUP_5 = 0xff };
	const uint8_t *at =
		(const uint8_t *)(uintptr_t)context->uc_mcontext.gregs[REG_RIP];
	unsigned rex = 0;
	int32_t wide = 0;
	uintptr_t place = 0;

	while (*at == NOTRACK || *at == BND)
		at++;
	if ((*at & 0xf0) == 0x40)
		rex = *at++;
	if (*at++ != GROUP_5)
		return 0;
	unsigned form = *at >> 6, operation = *at >> 3 & 7, base = *at & 7;
	at++;
	if (form == 3 || (operation != 2 && operation != 4)) /* call, jmp */
		return 0;
	if (base == 4) { /* an index, too: number 4 is none */
		unsigned index = (*at >> 3 & 7) | (rex & 2) << 2;

		if (index != 4)
			place = kma_arch_numbered(context, index) << (*at >> 6);
		base = *at++ & 7;
	}
	if (form == 0 && base == 5)
		return 0; /* a global's address: no buffer */
	place += kma_arch_numbered(context, base | (rex & 1) << 3);
	if (form == 1)
		return place + (uintptr_t)(intptr_t)(int8_t)*at;
	if (form == 2)
		memcpy(&wide, at, sizeof(wide));
	return place + (uintptr_t)(intptr_t)wide;
}

/* Of a page fault: was it a write? The error code's bit 1. */
static inline bool kma_arch_fault_is_write(const ucontext_t *context)
{
	return context->uc_mcontext.gregs[REG_ERR] & 2;
}

/* What the system call returned that the thread stands right behind; 0: it does
 * not. A signal frame does not tell its number, which was in the same register.
 */
static inline long kma_arch_call_result(const ucontext_t *context)
{
	const greg_t *greg = context->uc_mcontext.gregs;
	const uint8_t *pc = (const uint8_t *)(uintptr_t)greg[REG_RIP];

	return pc[-2] == 0x0f && pc[-1] == 0x05 ? greg[REG_RAX] : 0;
}

/*
 * The number of that system call, from the code: the last "mov $NUMBER,%eax",
 * or "xor %eax,%eax", in the few instructions before, where compilers put it;
 * -1: there is none. Not across the start of a page, which may be all there is.
 */
static inline long kma_arch_call_number(const ucontext_t *context)
{
	enum { FAR = 24, MOV = 0xb8, MOV_SIZE = 5, NUMBER_MAX = 1023 };
	const uint8_t *call = (const uint8_t *)(uintptr_t)
				      context->uc_mcontext.gregs[REG_RIP] -
			      2;
	uintptr_t room = (uintptr_t)call % 4096;

	if (room >= 2 && call[-2] == 0x31 && call[-1] == 0xc0)
		return 0;
	for (int i = MOV_SIZE; i <= FAR && (uintptr_t)i <= room; i++) {
		uint32_t number;

		if (call[-i] != MOV)
			continue;
		__builtin_memcpy(&number, call - i + 1, sizeof(number));
		if (number <= NUMBER_MAX)
			return (long)number;
	}
	return -1;
}

/*
 * Begin that system call anew when the handler returns: its arguments are still
 * in their registers. Sleeps begin with what the kernel wrote back as left.
 */
static inline void kma_arch_repeat_call(ucontext_t *context, long number)
{
	greg_t *greg = context->uc_mcontext.gregs;

	if (number == SYS_nanosleep && greg[REG_RSI])
		greg[REG_RDI] = greg[REG_RSI];
	if (number == SYS_clock_nanosleep && greg[REG_RSI] == 0 &&
	    greg[REG_R10])
		greg[REG_RDX] = greg[REG_R10];
	greg[REG_RAX] = number;
	greg[REG_RIP] -= 2;
}

/* All general registers, as a dump keeps them. */
static inline void kma_arch_dump_registers(const ucontext_t *context,
					   struct dump_registers *ret)
{
	const greg_t *greg = context->uc_mcontext.gregs;
	uint64_t segments = (uint64_t)greg[REG_CSGSFS]; /* cs, gs, fs, ss */

	*ret = (struct dump_registers){
		.r15 = (uint64_t)greg[REG_R15],
		.r14 = (uint64_t)greg[REG_R14],
		.r13 = (uint64_t)greg[REG_R13],
		.r12 = (uint64_t)greg[REG_R12],
		.rbp = (uint64_t)greg[REG_RBP],
		.rbx = (uint64_t)greg[REG_RBX],
		.r11 = (uint64_t)greg[REG_R11],
		.r10 = (uint64_t)greg[REG_R10],
		.r9 = (uint64_t)greg[REG_R9],
		.r8 = (uint64_t)greg[REG_R8],
		.rax = (uint64_t)greg[REG_RAX],
		.rcx = (uint64_t)greg[REG_RCX],
		.rdx = (uint64_t)greg[REG_RDX],
		.rsi = (uint64_t)greg[REG_RSI],
		.rdi = (uint64_t)greg[REG_RDI],
		.orig_rax = UINT64_MAX, /* not in a system call */
		.rip = (uint64_t)greg[REG_RIP],
		.cs = segments & 0xffff,
		.rflags = (uint64_t)greg[REG_EFL],
		.rsp = (uint64_t)greg[REG_RSP],
		.ss = segments >> 48,
		.gs = segments >> 16 & 0xffff,
		.fs = segments >> 32 & 0xffff,
		.fs_base = (uint64_t)__builtin_thread_pointer(),
	};
}

/* The vector state behind a signal frame, as XSAVE wrote it. */
static inline const void *kma_arch_vector_state(const ucontext_t *context,
						size_t *size)
{
	enum { LEGACY_SIZE = 512, SOFTWARE_BYTES = 464 };
	const uint32_t XSTATE_MAGIC = 0x46505853;
	const char *state = (const char *)context->uc_mcontext.fpregs;
	const uint32_t *software = (const uint32_t *)(state + SOFTWARE_BYTES);

	*size = 0;
	if (state)
		*size = software[0] == XSTATE_MAGIC ? software[4] : LEGACY_SIZE;
	return state;
}

/*
 * Does valgrind run the program's instructions? These do nothing on a processor
 * and are how its manual says that a program asks: a request and its five
 * arguments, answered in another register.
 */
static inline bool kma_arch_is_simulated(void)
{
	enum { RUNNING_ON_VALGRIND = 0x1001 };
	const uint64_t request[6] = { RUNNING_ON_VALGRIND };
	uint64_t answer = 0;

	__asm__ volatile("rolq $3, %%rdi\n\t"
			 "rolq $13, %%rdi\n\t"
			 "rolq $61, %%rdi\n\t"
			 "rolq $51, %%rdi\n\t"
			 "xchgq %%rbx, %%rbx"
			 : "+d"(answer)
			 : "a"(request)
			 : "rdi", "memory", "cc");
	return answer != 0;
}

/* What a handler installed without libc returns to. */
__attribute__((naked, unused)) static void kma_arch_sigreturn(void)
{
	__asm__ volatile("mov $15, %rax\n\t"
			 "syscall");
}

/* Call function(argument) on another stack, which ends at top. */
static inline void kma_arch_call_on(void *top, void (*function)(void *),
				    void *argument)
{
	uintptr_t aligned = (uintptr_t)top & ~(uintptr_t)15;

	__asm__ volatile("mov %%rsp, %%rbx\n\t"
			 "mov %0, %%rsp\n\t"
			 "call *%1\n\t"
			 "mov %%rbx, %%rsp"
			 : "+r"(aligned), "+r"(function), "+D"(argument)
			 :
			 : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10",
			   "r11", "memory", "cc", "xmm0", "xmm1", "xmm2",
			   "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
			   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
			   "xmm15");
}

/* A system call as the kernel has it: the result, or -errno. */
/* NOLINTNEXTLINE(*-function-size): as many arguments as the kernel takes */
static inline long kma_arch_syscall(long number, long a, long b, long c, long d,
				    long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/*
 * Defines the function name(first, int flags, ...): it clears bits of flags and
 * jumps to the function whose address resolve() returns, with arguments, stack
 * and return address as they came, so that who is asked sees its true caller.
 * resolve() may clobber what any call may.
 */
#define KMA_ARCH_FORWARD_WITHOUT(name, bits, resolve)     \
	__asm__(".pushsection .text, \"ax\", @progbits\n" \
		".globl " #name "\n"                      \
		".type " #name ", @function\n"            \
		".p2align 4\n" #name ":\n"                \
		".cfi_startproc\n\t"                      \
		"endbr64\n\t"                             \
		"push %rdi\n\t"                           \
		".cfi_adjust_cfa_offset 8\n\t"            \
		"push %rsi\n\t"                           \
		".cfi_adjust_cfa_offset 8\n\t"            \
		"push %rdx\n\t"                           \
		".cfi_adjust_cfa_offset 8\n\t"            \
		"call " #resolve "\n\t"                   \
		"pop %rdx\n\t"                            \
		".cfi_adjust_cfa_offset -8\n\t"           \
		"pop %rsi\n\t"                            \
		".cfi_adjust_cfa_offset -8\n\t"           \
		"pop %rdi\n\t"                            \
		".cfi_adjust_cfa_offset -8\n\t"           \
		"and $~" #bits ", %esi\n\t"               \
		"jmp *%rax\n\t"                           \
		".cfi_endproc\n"                          \
		".size " #name ", . - " #name "\n"        \
		".popsection")

/* Tell the processor that we wait for another. */
static inline void kma_arch_pause(void)
{
	__builtin_ia32_pause();
}

static inline uint64_t kma_arch_ticks(void)
{
	return __rdtsc();
}

/* Does the counter run at one rate on every processor, and may we read it? */
static inline bool kma_arch_ticks_usable(void)
{
	enum { INVARIANT_LEAF = 0x80000007, INVARIANT_BIT = 1 << 8 };
	unsigned a, b, c, d;
	int mode = 0;

	if (prctl(PR_GET_TSC, &mode) != 0 || mode != PR_TSC_ENABLE)
		return false;
	return __get_cpuid(INVARIANT_LEAF, &a, &b, &c, &d) &&
	       (d & INVARIANT_BIT);
}

/* The thread pointer: on x86-64 also the address of the thread's descriptor. */
static inline uintptr_t kma_arch_thread_pointer(void)
{
	return (uintptr_t)__builtin_thread_pointer();
}

/* Bytes below the stack pointer that belong to a leaf function. */
enum { KMA_ARCH_REDZONE = 128 };

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

enum { STEPS_MAX = 4096 };

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	const struct seccomp_data *data;
};

static bool load_word(const struct machine *m, uint32_t offset, uint32_t *ret)
{
	if (offset > sizeof(*m->data) - sizeof(*ret) || offset % sizeof(*ret))
		return false;
	*ret = *(const uint32_t *)(const void *)((const char *)m->data +
						 offset);
	return true;
}

static bool load(struct machine *m, const struct sock_filter *f, uint32_t *ret)
{
	switch (BPF_MODE(f->code)) {
	case BPF_ABS:
		return load_word(m, f->k, ret);
	case BPF_IMM:
		*ret = f->k;
		return true;
	case BPF_MEM:
		*ret = m->memory[f->k % BPF_MEMWORDS];
		return true;
	case BPF_LEN:
		*ret = sizeof(*m->data);
		return true;
	default:
		return false;
	}
}

static bool compute(struct machine *m, const struct sock_filter *f)
{
	uint32_t b = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		m->a += b;
		break;
	case BPF_SUB:
		m->a -= b;
		break;
	case BPF_MUL:
		m->a *= b;
		break;
	case BPF_DIV:
		m->a = b ? m->a / b : 0;
		break;
	case BPF_AND:
		m->a &= b;
		break;
	case BPF_OR:
		m->a |= b;
		break;
	case BPF_XOR:
		m->a ^= b;
		break;
	case BPF_LSH:
		m->a = b < 32 ? m->a << b : 0;
		break;
	case BPF_RSH:
		m->a = b < 32 ? m->a >> b : 0;
		break;
	case BPF_NEG:
		m->a = -m->a;
		break;
	default:
		return false;
	}
	return true;
}

/* How far to jump, after the next instruction. */
static uint32_t jump(const struct machine *m, const struct sock_filter *f)
{
	uint32_t b = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
	bool taken = false;

	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k;
	case BPF_JEQ:
		taken = m->a == b;
		break;
	case BPF_JGT:
		taken = m->a > b;
		break;
	case BPF_JGE:
		taken = m->a >= b;
		break;
	default: /* BPF_JSET */
		taken = m->a & b;
		break;
	}
	return taken ? f->jt : f->jf;
}

/* Anything but a jump or a return; false: it is not known. */
static bool step(struct machine *m, const struct sock_filter *f)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
		return load(m, f, &m->a);
	case BPF_LDX:
		return load(m, f, &m->x);
	case BPF_ST:
		m->memory[f->k % BPF_MEMWORDS] = m->a;
		return true;
	case BPF_STX:
		m->memory[f->k % BPF_MEMWORDS] = m->x;
		return true;
	case BPF_ALU:
		return compute(m, f);
	case BPF_MISC:
		if (BPF_MISCOP(f->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return true;
	default:
		return false;
	}
}

static uint32_t verdict(const struct sock_fprog *filter, long number,
			long third)
{
	const struct seccomp_data data = {
		.nr = (int)number,
		.arch = AUDIT_ARCH_X86_64,
		.args = { [2] = third == KMA_FILTER_ANY ? 0 : (uint64_t)third },
	};
	struct machine m = { .data = &data };
	size_t at = 0;

	for (int i = 0; i < STEPS_MAX && at < filter->len; i++) {
		const struct sock_filter *f = &filter->filter[at++];

		if (BPF_CLASS(f->code) == BPF_RET)
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		if (BPF_CLASS(f->code) == BPF_JMP)
			at += jump(&m, f);
		else if (!step(&m, f))
			break;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* A trap is a signal that the program may handle, but not inside of a dump. */
bool kma_filter_ends(const struct sock_fprog *filter, long number, long third)
{
	if (!filter) /* mode strict */
		return number != SYS_read && number != SYS_write;
	switch (verdict(filter, number, third) & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
		return true;
	default:
		return false;
	}
}

bool kma_filter_refuses(const struct sock_fprog *filter, long number)
{
	return filter && (verdict(filter, number, KMA_FILTER_ANY) &
			  SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

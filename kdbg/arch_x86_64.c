/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/arch.h"

#include <string.h>

#define REGISTER(r)                                    \
	{                                              \
#r, offsetof(struct dump_registers, r) \
	}

static const struct arch_register registers_by_use[] = {
	REGISTER(rax), REGISTER(rbx),     REGISTER(rcx),      REGISTER(rdx),
	REGISTER(rsi), REGISTER(rdi),     REGISTER(rbp),      REGISTER(rsp),
	REGISTER(r8),  REGISTER(r9),      REGISTER(r10),      REGISTER(r11),
	REGISTER(r12), REGISTER(r13),     REGISTER(r14),      REGISTER(r15),
	REGISTER(rip), REGISTER(rflags),  REGISTER(orig_rax), REGISTER(cs),
	REGISTER(ss),  REGISTER(ds),      REGISTER(es),       REGISTER(fs),
	REGISTER(gs),  REGISTER(fs_base), REGISTER(gs_base),
};

size_t arch_registers(const struct arch_register **ret)
{
	*ret = registers_by_use;
	return sizeof(registers_by_use) / sizeof(registers_by_use[0]);
}

static const char *machine_name(const char *name)
{
	if (strcmp(name, "pc") == 0)
		return "rip";
	return strcmp(name, "sp") == 0 ? "rsp" : name;
}

bool arch_register_get(const struct dump_registers *registers, const char *name,
		       uint64_t *ret)
{
	const struct arch_register *known;
	size_t count = arch_registers(&known);

	name = machine_name(name);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		memcpy(ret, (const char *)registers + known[i].offset,
		       sizeof(*ret));
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::auxv - what the kernel told the program when it began. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>

enum { TEXT_SIZE = 512, NAME_SIZE = 32, RSEQ_FEATURE_SIZE = 27, RSEQ_ALIGN };

static const struct column auxv_columns[] = {
	{ "TYPE", VALUE_TEXT, .width = 20 },
	{ "VALUE", VALUE_HEX, .width = 16 },
	{ "MEANING", VALUE_TEXT },
};

static const struct table auxv_tables[] = {
	{ "default", auxv_columns, 3 },
};

static const struct {
	uint64_t type;
	const char *name, *meaning; /* NULL: a text at the value */
} types[] = {
	{ AT_EXECFD, "AT_EXECFD", "descriptor of the program" },
	{ AT_PHDR, "AT_PHDR", "program headers" },
	{ AT_PHENT, "AT_PHENT", "size of one" },
	{ AT_PHNUM, "AT_PHNUM", "how many" },
	{ AT_PAGESZ, "AT_PAGESZ", "size of a page" },
	{ AT_BASE, "AT_BASE", "base of the interpreter" },
	{ AT_FLAGS, "AT_FLAGS", "flags" },
	{ AT_ENTRY, "AT_ENTRY", "entry of the program" },
	{ AT_UID, "AT_UID", "real user" },
	{ AT_EUID, "AT_EUID", "effective user" },
	{ AT_GID, "AT_GID", "real group" },
	{ AT_EGID, "AT_EGID", "effective group" },
	{ AT_CLKTCK, "AT_CLKTCK", "ticks a second of times()" },
	{ AT_PLATFORM, "AT_PLATFORM", NULL },
	{ AT_HWCAP, "AT_HWCAP", "capabilities of the processor" },
	{ AT_HWCAP2, "AT_HWCAP2", "more of them" },
	{ AT_SECURE, "AT_SECURE", "it gained privileges" },
	{ AT_BASE_PLATFORM, "AT_BASE_PLATFORM", NULL },
	{ AT_RANDOM, "AT_RANDOM", "16 random bytes" },
	{ AT_EXECFN, "AT_EXECFN", NULL },
	{ AT_SYSINFO, "AT_SYSINFO", "entry of system calls" },
	{ AT_SYSINFO_EHDR, "AT_SYSINFO_EHDR", "the vdso" },
	{ AT_MINSIGSTKSZ, "AT_MINSIGSTKSZ", "smallest stack of a signal" },
	{ RSEQ_FEATURE_SIZE, "AT_RSEQ_FEATURE_SIZE", "size of rseq" },
	{ RSEQ_ALIGN, "AT_RSEQ_ALIGN", "its alignment" },
};

static void emit(struct target *target, uint64_t type, uint64_t value,
		 struct sink *out)
{
	char text[TEXT_SIZE] = "", name[NAME_SIZE];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *meaning = types[i].meaning;

		if (types[i].type != type)
			continue;
		if (!meaning) {
			err_free(target_read_text(target, value, text,
						  sizeof(text)));
			meaning = text;
		}
		SINK_ROW(out, TEXT(types[i].name), HEX(value), TEXT(meaning));
		return;
	}
	snprintf(name, sizeof(name), "%" PRIu64, type);
	SINK_ROW(out, TEXT(name), HEX(value), TEXT(NULL));
}

static struct err *auxv_run(const struct dcmd_call *call, struct sink *out)
{
	struct target *target = call->session->target;

	if (!target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	if (!target->auxv_count)
		return err_new(ERR_NOT_FOUND, "the %s has no auxiliary vector",
			       target->ops->kind);
	for (size_t i = 0; i < target->auxv_count && !out->failed; i++)
		if (target->auxv[2 * i] != AT_NULL)
			emit(target, target->auxv[2 * i],
			     target->auxv[2 * i + 1], out);
	return NULL;
}

const struct dcmd dcmd_auxv = {
	.name = "auxv",
	.summary = "what the kernel told the program when it began",
	.help = "The auxiliary vector: where its program headers, its entry, "
		"the dynamic linker and the vdso lie, and what the machine is.",
	.example = "::auxv",
	.tables = auxv_tables,
	.table_count = 1,
	.run = auxv_run,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that links libkma, shared or static: it can dump itself, and what
 * the library calls its own holds its root and its code, but nothing of the
 * program's.
 *
 * Usage: linked INSTANCE DUMP
 */
#include "alloc/include/kma/kma.h"
#include "alloc/root.h"
#include "tests/contract/contract.h"

#include <stdbool.h>
#include <string.h>

static int program_data = 1;
static int program_bss;

static bool is_data(const void *p)
{
	return (uintptr_t)p >= kma_root.data_base &&
	       (uintptr_t)p < kma_root.data_end;
}

static bool is_text(uintptr_t p)
{
	return p >= kma_root.text_base && p < kma_root.text_end;
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	CHECK(strcmp(kma_root.instance, argv[1]) == 0);
	CHECK(kma_root.head.magic[0] == KMA_ROOT_MAGIC0);
	CHECK((uintptr_t)&kma_root % KMA_PAGE_SIZE == 0);
	CHECK(kma_root.pid == (uint32_t)getpid());
	CHECK(is_data(&kma_root));
	CHECK(!is_data(&program_data) && !is_data(&program_bss));
	CHECK(is_text((uintptr_t)kma_dump));
	CHECK(!is_text((uintptr_t)main) && !is_text((uintptr_t)strlen));
	unlink(argv[2]);
	CHECK(kma_dump(argv[2]) == 0);
	CHECK(access(argv[2], R_OK) == 0);
	unlink(argv[2]);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a shared library's own code and data lie: what its ELF header says. */
#include "alloc/instance.h"
#include "alloc/root.h"

#include <elf.h>

/* Our own header, named by the linker. NOLINTNEXTLINE(cert-dcl*) */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

static void find_segment(uint32_t flags, uint64_t *base, uint64_t *end)
{
	uintptr_t bias = (uintptr_t)&__ehdr_start;
	const Elf64_Phdr *header =
		(const Elf64_Phdr *)(bias + __ehdr_start.e_phoff);

	for (unsigned i = 0; i < __ehdr_start.e_phnum; i++, header++)
		if (header->p_type == PT_LOAD &&
		    (header->p_flags & (PF_W | PF_X)) == flags) {
			*base = bias + header->p_vaddr;
			*end = *base + header->p_memsz;
			return;
		}
}

void kma_bounds_of_segments(struct kma_root *root)
{
	find_segment(PF_X, &root->text_base, &root->text_end);
	find_segment(PF_W, &root->data_base, &root->data_end);
}

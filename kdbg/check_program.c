/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_program.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_interpreter(Elf *elf)
{
	size_t count = 0;
	GElf_Phdr header;

	if (elf_getphdrnum(elf, &count))
		return true;
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(elf, (int)i, &header) &&
		    header.p_type == PT_INTERP)
			return true;
	return false;
}

/* Is one of the libraries it needs a sanitizer's runtime? */
static bool needs_sanitizer(Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data = elf_getdata(section, NULL);
		GElf_Dyn entry;

		if (!data || !gelf_getshdr(section, &header) ||
		    header.sh_type != SHT_DYNAMIC)
			continue;
		for (int i = 0; gelf_getdyn(data, i, &entry); i++) {
			const char *name =
				entry.d_tag == DT_NEEDED
					? elf_strptr(elf, header.sh_link,
						     entry.d_un.d_val)
					: NULL;
			if (name && (strncmp(name, "libasan", 7) == 0 ||
				     strncmp(name, "libtsan", 7) == 0 ||
				     strncmp(name, "libclang_rt", 11) == 0))
				return true;
		}
	}
	return false;
}

static const char *explain(Elf *elf)
{
	GElf_Ehdr header;

	if (!elf || !gelf_getehdr(elf, &header))
		return "it never said hello";
	if (header.e_machine != EM_X86_64 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		return "it is for another architecture";
	if (!has_interpreter(elf))
		return "it is statically linked";
	if (needs_sanitizer(elf))
		return "it has a sanitizer's runtime";
	return "it never said hello";
}

const char *check_program_silence(const char *path)
{
	struct stat st;
	/* A hostile roster may name a FIFO, which would block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return "it never said hello";
	if (fstat(fd, &st) == 0 && st.st_mode & (S_ISUID | S_ISGID)) {
		close(fd);
		return "it is set-user-ID or set-group-ID";
	}
	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	const char *reason = explain(elf);

	elf_end(elf);
	close(fd);
	return reason;
}

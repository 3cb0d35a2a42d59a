/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/check_program.h"

#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

static Elf *open_elf(const char *path, int *fd, struct stat *st)
{
	/* A hostile roster may name a FIFO, which would block. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, st) || !S_ISREG(st->st_mode))
		return NULL;
	elf_version(EV_CURRENT);
	return elf_begin(*fd, ELF_C_READ, NULL);
}

static void close_elf(Elf *elf, int fd)
{
	elf_end(elf);
	if (fd >= 0)
		close(fd);
}

bool check_program_refuses(const char *name)
{
	const char *list = strchr(name, '/') ? "" : getenv("PATH");
	bool refuses = false, found = false;

	for (const char *next; list && !found; list = next) {
		const char *end = strchrnul(list, ':');
		char path[PATH_MAX];
		struct stat st;
		int fd;

		next = *end ? end + 1 : NULL;
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(end - list),
			 list, end > list ? "/" : "", name);
		Elf *elf = open_elf(path, &fd, &st);
		found = fd >= 0 && access(path, X_OK) == 0;
		refuses = found && elf && needs_sanitizer(elf);
		close_elf(elf, fd);
	}
	return refuses;
}

static const char *explain(Elf *elf, const struct stat *st)
{
	GElf_Ehdr header;

	if (!elf)
		return "it never said hello";
	if (st->st_mode & (S_ISUID | S_ISGID))
		return "it is set-user-ID or set-group-ID";
	if (!gelf_getehdr(elf, &header))
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
	int fd;
	Elf *elf = open_elf(path, &fd, &st);
	const char *reason = explain(elf, &st);

	close_elf(elf, fd);
	return reason;
}

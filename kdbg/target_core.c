/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A core is program headers, one for each mapping, and notes. What a header
 * promises beyond p_filesz, or beyond the end of a file that was cut, is
 * missing: it is not zero. Read-only parts of files are usually left out and
 * served from the file on disk (kdbg/target_file.h), like those of a dump.
 *
 * The file is mapped as a whole and views point into it, so a core of any size
 * opens at once (kdbg/target_core_memory.c).
 */
#include "kdbg/target_core.h"

#include "kdbg/target_core_impl.h"
#include "kdbg/target_environment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGUMENTS_SIZE = 16384 };

static void core_close(void *impl)
{
	struct core *core = impl;

	if (core->image)
		munmap(core->image, core->size);
	free(core->copies);
	free(core->threads);
	free(core->modules);
	arena_deinit(&core->arena);
	free(core);
}

static struct err *view(void *impl, uint64_t address, size_t size,
			const void **ret)
{
	return core_view(impl, address, size, ret);
}

static const struct target_ops core_target_ops = {
	.kind = "core",
	.close = core_close,
	.view = view,
};

/* --- the file ----------------------------------------------------------- */

static struct err *map_core(struct core *core)
{
	struct stat st = { 0 };
	int fd = open(core->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_new(ERR_IO, "%s: %s", core->path, strerror(errno));
	void *image = MAP_FAILED;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
			     fd, 0);
	int error = errno;
	close(fd);
	if (image == MAP_FAILED)
		return err_new(ERR_IO, "%s: %s", core->path, strerror(error));
	core->image = image;
	core->size = (size_t)st.st_size;
	return NULL;
}

/* For the reason of a refusal; big-endian files have it the other way round. */
static const char *machine_name(const Elf64_Ehdr *header)
{
	unsigned machine = header->e_machine;

	if (header->e_ident[EI_DATA] == ELFDATA2MSB)
		machine = machine >> 8 | (machine & 0xff) << 8;
	switch (machine) {
	case EM_X86_64:
		return "x86-64";
	case EM_386:
		return "i386";
	case EM_AARCH64:
		return "aarch64";
	case EM_ARM:
		return "ARM";
	case EM_RISCV:
		return "RISC-V";
	case EM_PPC64:
		return "POWER";
	case EM_S390:
		return "z/Architecture";
	default:
		return "foreign";
	}
}

static struct err *check_header(const struct core *core)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)core->image;

	if (core->size < sizeof(*header))
		return err_new(ERR_CORRUPT,
			       "%s: ELF header cut at byte %zu of %zu",
			       core->path, core->size, sizeof(*header));
	if (header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_X86_64)
		return err_new(
			ERR_UNSUPPORTED,
			"%s: a core of a %s%s%s program: this kdbg "
			"reads those of 64-bit x86-64",
			core->path,
			header->e_ident[EI_CLASS] == ELFCLASS32 ? "32-bit "
								: "",
			header->e_ident[EI_DATA] == ELFDATA2MSB ? "big-endian "
								: "",
			machine_name(header));
	if (header->e_phentsize != sizeof(Elf64_Phdr) ||
	    header->e_phoff % CORE_WORD)
		return err_new(ERR_CORRUPT,
			       "%s: ELF header: program headers of %u bytes at "
			       "offset %#" PRIx64,
			       core->path, header->e_phentsize,
			       (uint64_t)header->e_phoff);
	return NULL;
}

/* With 65535 headers or more their number stands in section header 0. */
static uint64_t count_headers(const struct core *core)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)core->image;

	if (header->e_phnum != PN_XNUM)
		return header->e_phnum;
	if (header->e_shoff % CORE_WORD || header->e_shoff > core->size ||
	    core->size - header->e_shoff < sizeof(Elf64_Shdr))
		return header->e_phnum;
	return ((const Elf64_Shdr *)(core->image + header->e_shoff))->sh_info;
}

static struct err *find_headers(struct core *core)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)core->image;
	struct err *err = check_header(core);

	if (err)
		return err;
	uint64_t count = count_headers(core);
	if (!count || header->e_phoff > core->size ||
	    (core->size - header->e_phoff) / sizeof(Elf64_Phdr) < count)
		return err_new(ERR_CORRUPT,
			       "%s: %" PRIu64
			       " program headers at offset %#" PRIx64
			       " are not all in the file",
			       core->path, count, (uint64_t)header->e_phoff);
	core->headers = (const Elf64_Phdr *)(core->image + header->e_phoff);
	core->header_count = (size_t)count;
	return NULL;
}

/* --- opening ------------------------------------------------------------ */

static struct err *core_read(struct core *core)
{
	struct err *err = map_core(core);

	if (!err)
		err = find_headers(core);
	if (!err)
		err = core_read_segments(core);
	if (!err)
		err = core_read_notes(core);
	if (!err)
		err = core_find_modules(core);
	if (!err)
		err = core_find_roots(core);
	return err;
}

/* Bit 0 of coredump_filter is off: nothing of the program's data is there. */
static bool lacks_data(const struct core *core)
{
	bool any = false;

	for (size_t i = 0; i < core->map_count; i++) {
		unsigned flags = core->maps[i].flags;

		if ((flags & DUMP_MAP_WRITE) && (flags & DUMP_MAP_STORED))
			return false;
		any |= (flags & DUMP_MAP_WRITE) != 0;
	}
	return any;
}

static void warn(struct target *target, const struct core *core)
{
	if (core->missing)
		target_warn(target,
			    "the file is cut: %" PRIu64
			    " bytes of memory are missing",
			    core->missing);
	if (core->refused)
		target_warn(target,
			    "%zu segments make no sense and are ignored",
			    core->refused);
	if (lacks_data(core))
		target_warn(target,
			    "no private memory is in the core: bit 0 of "
			    "/proc/PID/coredump_filter was off");
	if (!core->thread_count)
		target_warn(target, "no thread: the notes are missing");
	if (!core->file_count)
		target_warn(target, "no names of mapped files: the notes have "
				    "no NT_FILE");
}

static void give(struct target *target, const struct core *core)
{
	target->process = &core->process;
	target->threads = core->threads;
	target->thread_count = core->thread_count;
	target->maps = core->maps;
	target->map_count = core->map_count;
	target->modules = core->modules;
	target->module_count = core->module_count;
	target->extents = core->extents;
	target->extent_count = core->extent_count;
	target->roots = core->roots;
	target->root_count = core->root_count;
	target->auxv = core->auxv;
	target->auxv_count = core->auxv_count;
}

/* The notes have eighty characters of them, gdb's only the first word. */
static void find_arguments(struct target *target, struct core *core)
{
	char text[ARGUMENTS_SIZE], *kept;

	if (!target_arguments(target, text, sizeof(text)))
		return;
	kept = arena_text(&core->arena, text, strlen(text));
	if (kept)
		core->process.arguments = kept;
}

struct err *target_core_open(const char *path,
			     const struct target_options *options,
			     struct target **ret)
{
	struct core *core = calloc(1, sizeof(*core));
	struct target *target;

	if (!core)
		return err_new(ERR_NO_MEMORY, "%s", path);
	core->path = path;
	struct err *err = core_read(core);
	if (err) {
		core_close(core);
		return err;
	}
	err = target_create(path, options, &core_target_ops, core, &target);
	if (err)
		return err;
	core->path = NULL; /* the target's own may change */
	give(target, core);
	warn(target, core);
	err = target_finish(target);
	if (err) {
		target_close(target);
		return err;
	}
	find_arguments(target, core);
	*ret = target;
	return NULL;
}

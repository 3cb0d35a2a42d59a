/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/module_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE_MASK = 4095 };

void build_id_format(const void *id, size_t size, char text[BUILD_ID_TEXT_SIZE])
{
	const unsigned char *bytes = id;

	text[0] = 0;
	for (size_t i = 0; i < size && i < 64; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* Where it is loaded and how far it reaches, by its program headers. */
static void read_segments(struct module_file *file)
{
	uint64_t low = UINT64_MAX, high = 0;
	size_t count;

	if (elf_getphdrnum(file->elf, &count) != 0)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(file->elf, (int)i, &header) ||
		    header.p_type != PT_LOAD ||
		    header.p_memsz > UINT64_MAX - header.p_vaddr)
			continue;
		if (header.p_vaddr < low)
			low = header.p_vaddr;
		if (header.p_vaddr + header.p_memsz > high)
			high = header.p_vaddr + header.p_memsz;
	}
	if (low < high) {
		file->base = low & ~(uint64_t)PAGE_MASK;
		file->span = high - file->base;
	}
}

static struct err *read_headers(struct module_file *file)
{
	GElf_Ehdr header;

	elf_version(EV_CURRENT);
	file->elf = elf_memory(file->image, file->size);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF ||
	    !gelf_getehdr(file->elf, &header))
		return err_new(ERR_UNSUPPORTED, "%s: not an ELF file",
			       file->path);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB)
		return err_new(ERR_UNSUPPORTED,
			       "%s: not a 64-bit little-endian ELF file",
			       file->path);
	ssize_t size = dwelf_elf_gnu_build_id(file->elf, &file->id);
	file->id_size = size > 0 ? (size_t)size : 0;
	read_segments(file);
	return NULL;
}

static struct err *map_file(struct module_file *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_new(ERR_IO, "%s: %s", file->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_UNSUPPORTED, "%s: not a regular file",
			       file->path);
	if (st.st_size == 0)
		return err_new(ERR_UNSUPPORTED, "%s: empty file", file->path);
	/* libelf may convert in place: the copy is private. */
	void *image = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		return err_new(ERR_IO, "%s: %s", file->path, strerror(errno));
	file->image = image;
	file->size = (size_t)st.st_size;
	file->mapped = true;
	return NULL;
}

static struct err *finish(struct module_file *file, struct err *err,
			  struct module_file **ret)
{
	if (!err)
		err = read_headers(file);
	if (err)
		module_file_close(file);
	else
		*ret = file;
	return err;
}

/* As a process would open it whose root directory is root: neither ".." nor a
 * link of the path's leads out of it. */
static int open_below(const char *root, const char *rest)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return -1;
	int fd = (int)syscall(SYS_openat2, folder, rest, &how, sizeof(how));
	int reason = errno;
	close(folder);
	errno = reason;
	return fd;
}

/* A FIFO must not block, a terminal not become ours. */
static int open_path(const char *root, const char *path)
{
	size_t skip = root ? strlen(root) : 0;

	if (skip && strncmp(path, root, skip) == 0)
		return open_below(root, path + skip);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

struct err *module_file_open(const char *root, const char *path,
			     struct module_file **ret)
{
	struct module_file *file = calloc(1, sizeof(*file));

	if (!file || !(file->path = strdup(path))) {
		free(file);
		return err_new(ERR_NO_MEMORY, "%s", path);
	}
	int fd = open_path(root, path);
	if (fd < 0)
		return finish(file,
			      err_new(ERR_IO, "%s: %s", path, strerror(errno)),
			      ret);
	struct err *err = map_file(file, fd);
	close(fd);
	return finish(file, err, ret);
}

struct err *module_file_from_image(const char *name, void *image, size_t size,
				   struct module_file **ret)
{
	struct module_file *file = calloc(1, sizeof(*file));

	if (!file || !(file->path = strdup(name))) {
		free(file);
		free(image);
		return err_new(ERR_NO_MEMORY, "%s", name);
	}
	file->image = image;
	file->size = size;
	return finish(file, NULL, ret);
}

void module_file_close(struct module_file *file)
{
	if (!file)
		return;
	elf_end(file->elf);
	if (file->mapped)
		munmap(file->image, file->size);
	else
		free(file->image);
	free(file->path);
	free(file);
}

struct err *module_file_check_id(const struct module_file *file, const void *id,
				 size_t id_size)
{
	char wanted[BUILD_ID_TEXT_SIZE], found[BUILD_ID_TEXT_SIZE];

	if (file->id_size == id_size &&
	    (id_size == 0 || memcmp(file->id, id, id_size) == 0))
		return NULL;
	build_id_format(id, id_size, wanted);
	build_id_format(file->id, file->id_size, found);
	return err_new(ERR_NOT_FOUND,
		       "%s: is another file than the one that was mapped "
		       "(build id %s, wanted %s)",
		       file->path, *found ? found : "none",
		       *wanted ? wanted : "none");
}

static size_t view_segment(const struct module_file *file, uint64_t address,
			   size_t size, bool writable, const void **ret)
{
	size_t count;

	if (elf_getphdrnum(file->elf, &count) != 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(file->elf, (int)i, &header) ||
		    header.p_type != PT_LOAD ||
		    (!writable && (header.p_flags & PF_W)) ||
		    address < header.p_vaddr ||
		    address - header.p_vaddr >= header.p_filesz)
			continue;
		uint64_t skip = address - header.p_vaddr;
		if (header.p_offset >= file->size ||
		    skip >= file->size - header.p_offset)
			return 0;
		uint64_t left = header.p_filesz - skip;
		if (left > file->size - header.p_offset - skip)
			left = file->size - header.p_offset - skip;
		*ret = (const char *)file->image + header.p_offset + skip;
		return left < size ? (size_t)left : size;
	}
	return 0;
}

size_t module_file_view(const struct module_file *file, uint64_t address,
			size_t size, const void **ret)
{
	return view_segment(file, address, size, false, ret);
}

size_t module_file_view_original(const struct module_file *file,
				 uint64_t address, size_t size,
				 const void **ret)
{
	return view_segment(file, address, size, true, ret);
}

Elf *module_file_elf(const struct module_file *file)
{
	return elf_memory(file->image, file->size);
}

const void *module_file_section(const struct module_file *file,
				const char *name, size_t *size)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names) != 0)
		return NULL;
	while ((section = elf_nextscn(file->elf, section))) {
		GElf_Shdr header;
		const char *found =
			gelf_getshdr(section, &header)
				? elf_strptr(file->elf, names, header.sh_name)
				: NULL;

		if (!found || strcmp(found, name) != 0 ||
		    header.sh_type == SHT_NOBITS)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		*size = data ? data->d_size : 0;
		return data ? data->d_buf : NULL;
	}
	return NULL;
}

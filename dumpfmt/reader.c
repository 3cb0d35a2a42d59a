/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpfmt/crc.h"
#include "dumpfmt/reader_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WARNINGS_MAX = 100, WARNING_SIZE = 256 };

bool reader_grow(void *array, size_t count, size_t element_size)
{
	void **slot = array;

	if (count >= 8 && (count & (count - 1)))
		return true; /* not full: capacities are powers of two */
	if (count > 0 && count < 8)
		return true;
	void *bigger =
		realloc(*slot, (count < 8 ? 8 : 2 * count) * element_size);
	if (!bigger)
		return false;
	*slot = bigger;
	return true;
}

/* A file can be damaged in more places than anybody wants to read about. */
void reader_warn(struct dump *dump, const char *fmt, ...)
{
	va_list args;

	if (dump->warning_count >= WARNINGS_MAX ||
	    !reader_grow(&dump->warnings, dump->warning_count,
			 sizeof(*dump->warnings))) {
		dump->warnings_dropped++;
		return;
	}
	char *line = malloc(WARNING_SIZE);
	if (!line) {
		dump->warnings_dropped++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(line, WARNING_SIZE, fmt, args);
	va_end(args);
	dump->warnings[dump->warning_count++] = line;
}

void reader_warn_err(struct dump *dump, struct err *err)
{
	char text[WARNING_SIZE] = "";

	err_describe(err, text, sizeof(text));
	err_free(err);
	reader_warn(dump, "%s", text);
}

/* The last line says how many were left out, in the place of the last one. */
static void finish_warnings(struct dump *dump)
{
	if (dump->warnings_dropped > 0 && dump->warning_count > 0)
		snprintf(dump->warnings[dump->warning_count - 1], WARNING_SIZE,
			 "%zu more warnings of the same kinds",
			 dump->warnings_dropped + 1);
}

struct err *reader_pread(const struct dump *dump, void *buffer, size_t size,
			 uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(dump->fd, (char *)buffer + done, size - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_new(ERR_IO, "reading byte %" PRIu64 ": %s",
				       offset + done, strerror(errno));
		if (n == 0)
			return err_new(ERR_CORRUPT,
				       "file ends at byte %" PRIu64,
				       offset + done);
		done += (size_t)n;
	}
	return NULL;
}

/* What the first bytes are, when they are not ours. */
static struct err *check_magic(const unsigned char *bytes, size_t size)
{
	if (size >= 4 && !memcmp(bytes,
				 "\x7f"
				 "ELF",
				 4))
		return err_new(ERR_UNSUPPORTED, "is an ELF file, not a dump");
	if (memcmp(bytes, DUMP_MAGIC,
		   size < DUMP_MAGIC_SIZE ? size : DUMP_MAGIC_SIZE) != 0)
		return err_new(ERR_UNSUPPORTED, "not a kdbg dump");
	if (size < sizeof(struct dump_header))
		return err_new(ERR_CORRUPT,
			       "file header: truncated at byte %zu of %zu",
			       size, sizeof(struct dump_header));
	return NULL;
}

static struct err *check_header(struct dump *dump,
				const struct dump_header *header)
{
	if (header->byte_order != DUMP_BYTE_ORDER)
		return err_new(ERR_UNSUPPORTED,
			       "file header: byte order at byte 8 is not "
			       "little-endian");
	if (header->version != DUMP_VERSION)
		return err_new(ERR_UNSUPPORTED,
			       "file header: version %" PRIu32 " at byte 12, "
			       "this kdbg reads version %d",
			       header->version, DUMP_VERSION);
	if (header->crc !=
	    dump_crc(0, header, offsetof(struct dump_header, crc))) {
		reader_warn(dump, "file header: bad checksum at byte 60");
		return NULL; /* what it says is what this version says anyway */
	}
	if (header->machine != DUMP_MACHINE_X86_64)
		return err_new(ERR_UNSUPPORTED,
			       "file header: machine %" PRIu32
			       " at byte 20 is not x86-64",
			       header->machine);
	if (header->features & ~DUMP_FEATURES_KNOWN)
		return err_new(ERR_UNSUPPORTED,
			       "file header: features %#" PRIx64
			       " at byte 24 need a newer kdbg",
			       header->features);
	if (header->page_size != DUMP_PAGE_SIZE)
		return err_new(ERR_UNSUPPORTED,
			       "file header: pages of %" PRIu32
			       " bytes at byte 32",
			       header->page_size);
	return NULL;
}

static struct err *read_header(struct dump *dump)
{
	struct dump_header header;
	size_t size = dump->file_size < sizeof(header) ? (size_t)dump->file_size
						       : sizeof(header);

	struct err *err = reader_pread(dump, &header, size, 0);
	if (!err)
		err = check_magic((const unsigned char *)&header, size);
	if (!err)
		err = check_header(dump, &header);
	return err;
}

static struct err *open_file(struct dump *dump, const char *path)
{
	struct stat status;

	dump->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (dump->fd < 0 || fstat(dump->fd, &status) < 0)
		return err_new(ERR_IO, "%s", strerror(errno));
	if (S_ISDIR(status.st_mode))
		return err_new(ERR_IO, "is a directory");
	if (!S_ISREG(status.st_mode))
		return err_new(ERR_IO, "not a regular file");
	if (status.st_size == 0)
		return err_new(ERR_CORRUPT, "empty file");
	dump->file_size = (uint64_t)status.st_size;
	return NULL;
}

static struct err *open_dump(struct dump *dump, const char *path)
{
	struct err *err = open_file(dump, path);

	if (!err)
		err = read_header(dump);
	if (!err)
		err = reader_find_records(dump);
	if (!err)
		err = reader_parse_sections(dump);
	if (!err)
		err = reader_arrange_memory(dump);
	finish_warnings(dump);
	return err;
}

struct err *dump_open(const char *path, struct dump **ret)
{
	struct dump *dump = calloc(1, sizeof(*dump));

	if (!dump)
		return err_new(ERR_NO_MEMORY, "%s: out of memory", path);
	dump->fd = -1;
	dump->mappings_max = reader_mappings_max();
	struct err *err = open_dump(dump, path);
	if (err) {
		dump_close(dump);
		return err_wrap(err, "%s", path);
	}
	*ret = dump;
	return NULL;
}

void dump_close(struct dump *dump)
{
	if (!dump)
		return;
	reader_ahead_stop(dump);
	reader_unpacker_deinit(&dump->unpacker);
	reader_release_memory(dump);
	for (size_t i = 0; i < dump->section_count; i++)
		free(dump->sections[i].payload);
	for (size_t i = 0; i < dump->warning_count; i++)
		free(dump->warnings[i]);
	free(dump->sections);
	free(dump->blocks);
	free(dump->threads);
	free(dump->maps);
	free(dump->modules);
	free(dump->symbols);
	free(dump->roots);
	free(dump->auxv);
	free(dump->environment);
	free(dump->warnings);
	if (dump->fd >= 0)
		close(dump->fd);
	free(dump);
}

const struct dump_process *dump_process(const struct dump *dump)
{
	return &dump->process;
}

size_t dump_threads(const struct dump *dump, const struct dump_thread **ret)
{
	*ret = dump->threads;
	return dump->thread_count;
}

size_t dump_maps(const struct dump *dump, const struct dump_map **ret)
{
	*ret = dump->maps;
	return dump->map_count;
}

size_t dump_modules(const struct dump *dump, const struct dump_module **ret)
{
	*ret = dump->modules;
	return dump->module_count;
}

size_t dump_symbols(const struct dump *dump, const struct dump_symbol **ret)
{
	*ret = dump->symbols;
	return dump->symbol_count;
}

size_t dump_roots(const struct dump *dump, const uint64_t **ret)
{
	*ret = dump->roots;
	return dump->root_count;
}

size_t dump_auxv(const struct dump *dump, const uint64_t **ret)
{
	*ret = dump->auxv;
	return dump->auxv_count / 2;
}

size_t dump_environment(const struct dump *dump, const char **ret)
{
	*ret = dump->environment;
	return dump->environment_size;
}

size_t dump_extents(const struct dump *dump, const struct dump_extent **ret)
{
	*ret = dump->extents;
	return dump->extent_count;
}

size_t dump_warnings(const struct dump *dump, const char *const **ret)
{
	*ret = (const char *const *)dump->warnings;
	return dump->warning_count;
}

bool dump_section_get(const struct dump *dump, uint32_t kind,
		      struct dump_section *ret)
{
	if (kind >= DUMP_SECTION_KIND_COUNT)
		return false;
	*ret = (struct dump_section){ .name = reader_section_name(kind) };
	for (size_t i = 0; i < dump->section_count; i++) {
		const struct reader_section *section = &dump->sections[i];

		if (section->kind != kind)
			continue;
		ret->parts++;
		ret->bad_parts += section->size > 0 && !section->payload;
		ret->size += section->size;
	}
	return true;
}

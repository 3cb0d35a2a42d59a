/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What every kind of target shares: lookups and reads.
 *
 * A kind fills in facts (threads, maps, modules, extents) and one function,
 * view. Facts come from outside, so target_finish() sorts and disentangles
 * them once and every lookup after that is a binary search.
 *
 * A read is served piece by piece, each from where its first byte lies:
 *
 *	an extent		the target's own bytes
 *	a module's text		the file on disk, if it is the very file that
 *				was mapped (kdbg/target_file.h)
 *	else			not there
 *
 * Missing is never zero: what cannot be read is an error that names the first
 * address that is not there.
 */
#include "kdbg/target.h"

#include "kdbg/target_file.h"
#include "kdbg/unwind.h"

#include <elf.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Large reads go by pieces of this size, so that no kind has to hold
	 * more than this in one block; damage is told page by page. */
	PIECE_SIZE = 64 * 1024,
	PAGE_SIZE = 4096,
	WARNINGS_MAX = 1000,
};

struct err *target_create(const char *path,
			  const struct target_options *options,
			  const struct target_ops *ops, void *impl,
			  struct target **ret)
{
	static const struct dump_process unknown = { .executable = "" };
	struct target *target = calloc(1, sizeof(*target));

	if (!target) {
		ops->close(impl);
		return err_new(ERR_NO_MEMORY, "%s", path);
	}
	*target = (struct target){ .ops = ops, .impl = impl };
	target->process = &unknown;
	target->path = strdup(path);
	target->debuginfod = options && options->debuginfod;
	if (options && options->sysroot)
		target->sysroot = strdup(options->sysroot);
	if (options && options->executable)
		target->executable_path = strdup(options->executable);
	*ret = target;
	return NULL;
}

void target_close(struct target *target)
{
	if (!target)
		return;
	unwinder_destroy(target->unwinder);
	target_files_destroy(target->files);
	range_index_deinit(&target->map_index);
	range_index_deinit(&target->module_index);
	range_index_deinit(&target->thread_index);
	target->ops->close(target->impl);
	for (size_t i = 0; i < target->warning_count; i++)
		free(target->warning_texts[i]);
	free(target->warning_texts);
	free(target->executable_path);
	free(target->sysroot);
	free(target->path);
	free(target);
}

void target_rename(struct target *target, const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		return;
	free(target->path);
	target->path = copy;
}

bool target_release(struct target *target, uint64_t *ns)
{
	uint64_t stood;

	if (!target->ops->release || target->released)
		return false;
	stood = target->ops->release(target->impl);
	target->released = true;
	if (ns)
		*ns = stood;
	return true;
}

struct err *target_reopen(struct target *target, struct target **ret)
{
	const struct target_options options = {
		.executable = target->executable_path,
		.sysroot = target->sysroot,
		.debuginfod = target->debuginfod,
	};

	if (!target->ops->reopen)
		return err_new(ERR_USAGE, "%s does not move", target->path);
	return target->ops->reopen(target->impl, &options, ret);
}

void target_warn(struct target *target, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	int length = vasprintf(&text, fmt, args);
	va_end(args);
	if (length < 0)
		return;
	for (size_t i = 0; i < target->warning_count; i++)
		if (strcmp(target->warning_texts[i], text) == 0) {
			free(text);
			return;
		}
	size_t count = target->warning_count;
	char **texts = count < WARNINGS_MAX
			       ? realloc(target->warning_texts,
					 (count + 1) * sizeof(*texts))
			       : NULL;
	if (!texts) {
		free(text);
		return;
	}
	texts[count] = text;
	target->warning_texts = texts;
	target->warnings = (const char *const *)texts;
	target->warning_count = count + 1;
}

static void index_facts(struct target *target)
{
	for (size_t i = 0; i < target->map_count; i++)
		range_index_add(&target->map_index, target->maps[i].start,
				target->maps[i].end, i);
	for (size_t i = 0; i < target->module_count; i++)
		range_index_add(&target->module_index, target->modules[i].base,
				target->modules[i].end, i);
	for (size_t i = 0; i < target->thread_count; i++)
		range_index_add(&target->thread_index, target->threads[i].tid,
				(uint64_t)target->threads[i].tid + 1, i);
}

static void warn_overlap(struct target *target, struct range_index *index,
			 const char *what)
{
	size_t refused = range_index_finish(index);

	if (refused)
		target_warn(target, "%s: %zu %s overlap others and are ignored",
			    target->path, refused, what);
}

/* The program's own module: by its path, else by where it was entered. */
static size_t find_executable(const struct target *target)
{
	const char *path = target->process->executable;
	uint64_t entry;

	for (size_t i = 0; path && *path && i < target->module_count; i++)
		if (strcmp(target->modules[i].path, path) == 0)
			return i;
	if (target_auxv(target, AT_ENTRY, &entry)) {
		ptrdiff_t i = range_index_find(&target->module_index, entry);
		if (i >= 0)
			return (size_t)i;
	}
	return 0;
}

struct err *target_finish(struct target *target)
{
	index_facts(target);
	warn_overlap(target, &target->map_index, "mappings");
	warn_overlap(target, &target->module_index, "modules");
	warn_overlap(target, &target->thread_index, "threads");
	target->executable = find_executable(target);
	return target_files_create(target, &target->files);
}

bool target_auxv(const struct target *target, uint64_t tag, uint64_t *ret)
{
	for (size_t i = 0; i + 1 < target->auxv_count * 2; i += 2)
		if (target->auxv[i] == tag) {
			*ret = target->auxv[i + 1];
			return true;
		}
	return false;
}

const struct dump_extent *target_extent_at(const struct target *target,
					   uint64_t address)
{
	size_t low = 0, high = target->extent_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (target->extents[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == target->extent_count || target->extents[low].start > address)
		return NULL;
	return &target->extents[low];
}

const struct dump_map *target_map_at(const struct target *target,
				     uint64_t address)
{
	ptrdiff_t i = range_index_find(&target->map_index, address);

	return i < 0 ? NULL : &target->maps[i];
}

const struct dump_thread *target_thread(const struct target *target,
					uint32_t tid)
{
	ptrdiff_t i = range_index_find(&target->thread_index, tid);

	return i < 0 ? NULL : &target->threads[i];
}

const struct dump_thread *target_first_thread(const struct target *target)
{
	for (size_t i = 0; i < target->thread_count; i++)
		if (target->threads[i].flags & DUMP_THREAD_CRASHED)
			return &target->threads[i];
	return target->thread_count ? &target->threads[0] : NULL;
}

bool target_next_data(const struct target *target, uint64_t from, uint64_t upto,
		      struct dump_extent *ret)
{
	if (target->ops->next_data)
		return target->ops->next_data(target->impl, from, upto, ret);
	*ret = (struct dump_extent){ from, upto };
	return from < upto;
}

const struct dump_module *target_module_at(const struct target *target,
					   uint64_t address)
{
	ptrdiff_t i = range_index_find(&target->module_index, address);

	return i < 0 ? NULL : &target->modules[i];
}

static size_t least(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

/* How many bytes from address on lie in one extent or one file: at most size;
 * 0: none. They are at *ret. */
static struct err *view_piece(struct target *target, uint64_t address,
			      size_t size, const void **ret, size_t *length)
{
	const struct dump_extent *extent = target_extent_at(target, address);

	if (!extent)
		return target_files_view(target, address, size, ret, length);
	*length = least(extent->end - address, size);
	return target->ops->view(target->impl, address, *length, ret);
}

/* Copy up to size bytes, which the caller keeps small enough to retry. */
static struct err *copy_piece(struct target *target, uint64_t address,
			      unsigned char *buffer, size_t size, size_t *done)
{
	const void *bytes;
	size_t length;
	struct err *err = view_piece(target, address, size, &bytes, &length);

	*done = 0;
	if (err)
		return err;
	memcpy(buffer, bytes, length);
	*done = length;
	return NULL;
}

/* Copy until something is missing; *ret says why it stopped. */
static size_t copy(struct target *target, uint64_t address, void *buffer,
		   size_t size, struct err **ret)
{
	unsigned char *to = buffer;
	struct err *err = NULL;
	size_t done = 0, piece = PIECE_SIZE;

	*ret = NULL;
	while (done < size && address + done >= address) {
		uint64_t at = address + done;
		size_t wanted = least(piece - at % piece, size - done);
		size_t length;

		err = copy_piece(target, at, to + done, wanted, &length);
		done += length;
		if (err && piece > PAGE_SIZE) { /* how far is it whole? */
			piece = PAGE_SIZE;
			err_free(err);
			err = NULL;
		} else if (err) {
			break;
		}
	}
	if (!err && done < size)
		err = err_new(ERR_NOT_FOUND,
			      "%#" PRIx64
			      " and %zu bytes: past the end of memory",
			      address, size);
	*ret = err;
	return done;
}

struct err *target_read(struct target *target, uint64_t address, void *buffer,
			size_t size)
{
	struct err *err;

	copy(target, address, buffer, size, &err);
	return err;
}

size_t target_read_some(struct target *target, uint64_t address, void *buffer,
			size_t size)
{
	struct err *err;
	size_t done = copy(target, address, buffer, size, &err);

	err_free(err);
	return done;
}

size_t target_read_once(struct target *target, uint64_t address, void *buffer,
			size_t size)
{
	const struct dump_extent *extent = target_extent_at(target, address);

	if (!target->ops->read_once || !extent || extent->end - address < size)
		return target_read_some(target, address, buffer, size);
	return target->ops->read_once(target->impl, address, buffer, size);
}

struct err *target_view(struct target *target, uint64_t address, size_t size,
			const void **ret)
{
	size_t length;
	struct err *err = view_piece(target, address, size, ret, &length);

	if (err || length == size)
		return err;
	return err_new(ERR_NOT_FOUND, "%#" PRIx64 ": not in the %s",
		       address + length, target->ops->kind);
}

struct err *target_read_uint(struct target *target, uint64_t address,
			     size_t size, uint64_t *ret)
{
	uint64_t value = 0; /* little-endian, as we are */

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return err_new(ERR_USAGE, "no integer has %zu bytes", size);
	struct err *err = target_read(target, address, &value, size);
	if (!err)
		*ret = value;
	return err;
}

struct err *target_read_text(struct target *target, uint64_t address,
			     char *buffer, size_t max)
{
	size_t used = 0;

	while (used + 1 < max) {
		uint64_t at = address + used;
		size_t wanted =
			least(PAGE_SIZE - at % PAGE_SIZE, max - 1 - used);
		struct err *err;
		size_t done = copy(target, at, buffer + used, wanted, &err);
		const char *end = memchr(buffer + used, 0, done);

		if (end) {
			err_free(err);
			return NULL;
		}
		if (err)
			return err;
		used += done;
	}
	return err_new(ERR_CORRUPT,
		       "%#" PRIx64 ": no end of text within %zu bytes", address,
		       max - 1);
}

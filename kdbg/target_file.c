/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/target_file.h"

#include "dumpfmt/crc.h"
#include "kdbg/debuginfod.h"

#include <elf.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	REASON_SIZE = 512,
	VDSO_MAX = 64 * 1024,
	PAGE_SIZE = 4096,
};

#define DEBUG_DIRECTORY "/usr/lib/debug"

/* One per module of the target, in its order. */
struct target_file {
	bool tried;
	struct module_file *file; /* or NULL, and reason says why */
	char *reason;
	enum err_code reason_code;
};

struct target_files {
	struct target_file *files;
	size_t count;
	struct debuginfod *client; /* made by the first question */
};

struct err *target_files_create(struct target *target,
				struct target_files **ret)
{
	struct target_files *files = calloc(1, sizeof(*files));
	size_t count = target->module_count;

	if (files)
		files->files = calloc(count ? count : 1, sizeof(*files->files));
	if (!files || !files->files) {
		free(files);
		return err_new(ERR_NO_MEMORY, "%zu modules", count);
	}
	files->count = count;
	*ret = files;
	return NULL;
}

void target_files_destroy(struct target_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->count; i++) {
		module_file_close(files->files[i].file);
		free(files->files[i].reason);
	}
	debuginfod_destroy(files->client);
	free(files->files);
	free(files);
}

static PRINTF_LIKE(1, 2) char *text_create(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

static struct err *check_file(const struct module_file *file,
			      const struct dump_module *module)
{
	struct err *err = module_file_check_id(file, module->build_id,
					       module->build_id_size);
	uint64_t span = module->end - module->base;

	if (!err && !file->span)
		err = err_new(ERR_UNSUPPORTED, "%s: nothing in it is loaded",
			      file->path);
	if (err || module->build_id_size)
		return err;
	if ((file->span + PAGE_SIZE - 1) / PAGE_SIZE !=
	    (span + PAGE_SIZE - 1) / PAGE_SIZE)
		return err_new(ERR_NOT_FOUND,
			       "%s: is another file than the one that was "
			       "mapped (spans %#" PRIx64
			       " bytes, wanted %#" PRIx64 ")",
			       file->path, file->span, span);
	return NULL;
}

/* Takes path over. */
static struct err *open_checked(const struct target *target, char *path,
				const struct dump_module *module,
				struct module_file **ret)
{
	if (!path)
		return err_new(ERR_NO_MEMORY, "%s", module->path);
	struct err *err = module_file_open(target->sysroot, path, ret);
	if (!err && (err = check_file(*ret, module))) {
		module_file_close(*ret);
		*ret = NULL;
	}
	free(path);
	return err;
}

static char *build_id_path(const struct target *target, const void *id,
			   size_t id_size, const char *suffix)
{
	char text[BUILD_ID_TEXT_SIZE];

	build_id_format(id, id_size, text);
	return text_create("%s" DEBUG_DIRECTORY "/.build-id/%.2s/%s%s",
			   target->sysroot ? target->sysroot : "", text,
			   text + 2, suffix);
}

/* The path it was mapped from, in the sysroot, without the kernel's mark. */
static char *disk_path(const struct target *target, const char *path)
{
	static const char mark[] = " (deleted)";
	size_t length = strlen(path), cut = sizeof(mark) - 1;

	if (length > cut && strcmp(path + length - cut, mark) == 0)
		length -= cut;
	return text_create("%s%.*s", target->sysroot ? target->sysroot : "",
			   (int)length, path);
}

static bool is_vdso(const struct target *target,
		    const struct dump_module *module)
{
	uint64_t base;

	return strcmp(module->path, "[vdso]") == 0 ||
	       (target_auxv(target, AT_SYSINFO_EHDR, &base) &&
		base == module->base);
}

static struct err *read_vdso(struct target *target,
			     const struct dump_module *module,
			     struct module_file **ret)
{
	uint64_t span = module->end - module->base;
	size_t size = span < VDSO_MAX ? (size_t)span : VDSO_MAX;
	void *image = malloc(size);

	if (!image)
		return err_new(ERR_NO_MEMORY, "%s", module->path);
	struct err *err = target_read(target, module->base, image, size);
	if (err) {
		free(image);
		return err;
	}
	return module_file_from_image(module->path, image, size, ret);
}

/* From a server, where the user allows it. */
static struct err *fetch(struct target *target, const void *id, size_t id_size,
			 bool debug, char **ret)
{
	struct target_files *files = target->files;

	if (!target->debuginfod || !id_size)
		return err_new(ERR_NOT_FOUND, "no server is asked");
	if (!files->client)
		files->client = debuginfod_create();
	return debuginfod_find(files->client, id, id_size, debug, ret);
}

/* What was wrong on the disk is told with what the server said. */
static struct err *find_on_server(struct target *target,
				  const struct dump_module *module,
				  struct err *before, struct module_file **ret)
{
	char *path;
	struct err *err = fetch(target, module->build_id, module->build_id_size,
				false, &path);

	if (!err)
		err = open_checked(target, path, module, ret);
	if (!err || !target->debuginfod) {
		err_free(err ? err : before);
		return err ? before : NULL;
	}
	char text[REASON_SIZE];
	err_describe(before, text, sizeof(text));
	err_free(before);
	return err_wrap(err, "%s", text);
}

struct err *target_find_file(struct target *target,
			     const struct dump_module *module,
			     struct module_file **ret)
{
	bool program = target->module_count &&
		       module == &target->modules[target->executable];
	struct err *err, *other = NULL;

	if (is_vdso(target, module))
		return read_vdso(target, module, ret);
	if (program && target->executable_path)
		return open_checked(target, strdup(target->executable_path),
				    module, ret);
	if (module->path[0] != '/')
		err = err_new(ERR_NOT_FOUND, "%s: not a file",
			      *module->path ? module->path : "(no name)");
	else
		err = open_checked(target, disk_path(target, module->path),
				   module, ret);
	for (int i = 0; err && i < 2 && module->build_id_size; i++) {
		char *path = build_id_path(target, module->build_id,
					   module->build_id_size,
					   i == 0 ? "" : ".debug");
		other = open_checked(target, path, module, ret);
		if (!other) { /* what the path itself holds is no matter */
			err_free(err);
			return NULL;
		}
		err_free(other);
	}
	return err ? find_on_server(target, module, err, ret) : NULL;
}

static void keep_reason(struct target *target, struct target_file *slot,
			struct err *err)
{
	char text[REASON_SIZE];

	err_describe(err, text, sizeof(text));
	slot->reason = strdup(text);
	slot->reason_code = err_code(err);
	err_free(err);
	target_warn(target, "%s", text);
}

struct err *target_module_file(struct target *target,
			       const struct dump_module *module,
			       const struct module_file **ret)
{
	size_t i = (size_t)(module - target->modules);
	struct target_file *slot = &target->files->files[i];

	if (!slot->tried) {
		slot->tried = true; /* before: reading a vdso reads memory */
		struct err *err = target_find_file(target, module, &slot->file);
		if (err)
			keep_reason(target, slot, err);
	}
	if (!slot->file)
		return err_new(
			slot->reason_code ? slot->reason_code : ERR_NOT_FOUND,
			"%s", slot->reason ? slot->reason : module->path);
	*ret = slot->file;
	return NULL;
}

static struct err *not_there(const struct target *target, uint64_t address)
{
	const struct dump_map *map = target_map_at(target, address);

	if (map && *map->path)
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64 ": not in the %s (mapped from %s)",
			       address, target->ops->kind, map->path);
	return err_new(ERR_NOT_FOUND, "%#" PRIx64 ": not in the %s%s", address,
		       target->ops->kind, map ? "" : ", not mapped");
}

struct err *target_files_view(struct target *target, uint64_t address,
			      size_t size, const void **ret, size_t *length)
{
	const struct dump_module *module = target_module_at(target, address);
	const struct module_file *file;

	if (!module || !size)
		return not_there(target, address);
	struct err *err = target_module_file(target, module, &file);
	if (err)
		return err_wrap(err, "%#" PRIx64 ": not in the %s", address,
				target->ops->kind);
	*length = module_file_view(file, address - module->base + file->base,
				   size, ret);
	return *length ? NULL : not_there(target, address);
}

struct err *target_read_file(struct target *target, uint64_t address,
			     void *buffer, size_t size)
{
	const struct dump_module *module = target_module_at(target, address);
	const struct module_file *file;
	const void *bytes;

	if (!module)
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 ": of no module",
			       address);
	struct err *err = target_module_file(target, module, &file);
	if (err)
		return err_wrap(err, "%#" PRIx64, address);
	if (module_file_view_original(file, address - module->base + file->base,
				      size, &bytes) < size)
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64 ": not in the file %s", address,
			       module->path);
	memcpy(buffer, bytes, size);
	return NULL;
}

/* What a debug file must be: of this build id, or else of this sum. */
struct proof {
	const void *id;
	size_t id_size;
	bool has_sum;
	uint32_t sum;
};

/* Takes path over; NULL: it is not there, or it is not the one. */
static struct module_file *open_proven(const struct target *target, char *path,
				       const struct proof *proof)
{
	struct module_file *file = NULL;
	struct err *err;

	if (!path)
		return NULL;
	err = module_file_open(target->sysroot, path, &file);
	free(path);
	if (!err && proof->id_size)
		err = module_file_check_id(file, proof->id, proof->id_size);
	else if (!err && (!proof->has_sum ||
			  dump_crc(0, file->image, file->size) != proof->sum))
		err = err_new(ERR_NOT_FOUND, "%s: checksum", file->path);
	if (!err)
		return file;
	err_free(err);
	module_file_close(file);
	return NULL;
}

static struct module_file *find_by_id(const struct target *target,
				      const struct proof *proof)
{
	if (!proof->id_size)
		return NULL;
	return open_proven(
		target,
		build_id_path(target, proof->id, proof->id_size, ".debug"),
		proof);
}

/* The name that .gnu_debuglink gives: text, padding to 4 bytes, a CRC-32. */
static const char *debug_link(const struct module_file *file,
			      struct proof *proof)
{
	size_t size = 0;
	const char *link = module_file_section(file, ".gnu_debuglink", &size);
	size_t length = link ? strnlen(link, size) : 0;
	size_t at = (length + 4) & ~(size_t)3;

	if (!length || at > size || size - at < sizeof(proof->sum) ||
	    strchr(link, '/'))
		return NULL;
	memcpy(&proof->sum, link + at, sizeof(proof->sum));
	proof->has_sum = true;
	return link;
}

static struct module_file *find_by_link(const struct target *target,
					const struct module_file *file,
					struct proof *proof)
{
	const char *sysroot = target->sysroot ? target->sysroot : "";
	const char *link = debug_link(file, proof);
	const char *slash = strrchr(file->path, '/');

	if (!link || !slash)
		return NULL;
	int folder = (int)(slash - file->path);
	struct module_file *found = open_proven(
		target, text_create("%.*s/%s", folder, file->path, link),
		proof);
	if (!found)
		found = open_proven(
			target,
			text_create("%.*s/.debug/%s", folder, file->path, link),
			proof);
	size_t skip = strlen(sysroot); /* its name is not repeated in it */
	if (strncmp(file->path, sysroot, skip) != 0 || (int)skip > folder)
		skip = 0;
	if (!found)
		found = open_proven(target,
				    text_create("%s" DEBUG_DIRECTORY "%.*s/%s",
						sysroot, folder - (int)skip,
						file->path + skip, link),
				    proof);
	return found;
}

static struct module_file *debug_from_server(struct target *target,
					     const struct proof *proof)
{
	char *path;
	struct err *err = fetch(target, proof->id, proof->id_size, true, &path);

	if (!err)
		return open_proven(target, path, proof);
	err_free(err); /* there need not be one */
	return NULL;
}

struct module_file *target_find_debug_file(struct target *target,
					   const struct module_file *file)
{
	struct proof proof = { file->id, file->id_size, false, 0 };
	struct module_file *found = find_by_id(target, &proof);

	if (!found)
		found = find_by_link(target, file, &proof);
	return found ? found : debug_from_server(target, &proof);
}

struct module_file *target_find_alternate(struct target *target,
					  const struct module_file *of,
					  const char *name, const void *id,
					  size_t id_size)
{
	const struct proof proof = { id, id_size, false, 0 };
	struct module_file *found = find_by_id(target, &proof);
	const char *slash = strrchr(of->path, '/');

	if (!found && name[0] == '/')
		found = open_proven(
			target,
			text_create("%s%s",
				    target->sysroot ? target->sysroot : "",
				    name),
			&proof);
	else if (!found && slash)
		found = open_proven(target,
				    text_create("%.*s/%s",
						(int)(slash - of->path),
						of->path, name),
				    &proof);
	return found;
}

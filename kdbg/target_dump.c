/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/target_dump.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Half of what the machine can spare: 0, it does not tell. */
static uint64_t default_cache(void)
{
	static const char key[] = "MemAvailable:";
	char text[1024];
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) * 1024 / 2 : 0;
}

static void limit_memory(struct dump *dump,
			 const struct target_options *options)
{
	uint64_t cache =
		options && options->cache ? options->cache : default_cache();

	if (cache)
		dump_limit_memory(dump, cache);
}

static void close_dump(void *impl)
{
	dump_close(impl);
}

static struct err *view_dump(void *impl, uint64_t address, size_t size,
			     const void **ret)
{
	return dump_view(impl, address, size, ret);
}

static bool next_data(void *impl, uint64_t from, uint64_t upto,
		      struct dump_extent *ret)
{
	return dump_next_data(impl, from, upto, ret);
}

static const struct target_ops dump_target_ops = {
	.kind = "dump",
	.close = close_dump,
	.view = view_dump,
	.next_data = next_data,
};

struct err *target_dump_open(const char *path,
			     const struct target_options *options,
			     struct target **ret)
{
	const char *const *warnings;
	struct target *target;
	struct dump *dump;
	struct err *err = dump_open(path, &dump);

	if (!err)
		err = target_create(path, options, &dump_target_ops, dump,
				    &target);
	if (err)
		return err;
	limit_memory(dump, options);
	target->process = dump_process(dump);
	target->thread_count = dump_threads(dump, &target->threads);
	target->map_count = dump_maps(dump, &target->maps);
	target->module_count = dump_modules(dump, &target->modules);
	target->extent_count = dump_extents(dump, &target->extents);
	target->root_count = dump_roots(dump, &target->roots);
	target->auxv_count = dump_auxv(dump, &target->auxv);
	target->environment_size = dump_environment(dump, &target->environment);
	target->symbol_count = dump_symbols(dump, &target->symbols);
	size_t count = dump_warnings(dump, &warnings);
	for (size_t i = 0; i < count; i++)
		target_warn(target, "%s", warnings[i]);
	err = target_finish(target);
	if (err)
		target_close(target);
	else
		*ret = target;
	return err;
}

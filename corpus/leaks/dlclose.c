/* SPDX-License-Identifier: BSD-2-Clause */
/* What a library allocated and lost, or kept in its own data, when it was
 * unloaded: both are leaks, and both are told by name. */
#include "corpus/escape.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static NOINLINE void use_plugin(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW);
	void (*run)(void);
	void *(*keep)(void);

	if (!plugin) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	*(void **)&run = dlsym(plugin, "plugin_run");
	*(void **)&keep = dlsym(plugin, "plugin_keep");
	run();
	run();
	keep();
	dlclose(plugin);
}

int main(int argc, char **argv)
{
	use_plugin(argc > 1 ? argv[1] : "plugin.so");
	forget();
	return 0;
}

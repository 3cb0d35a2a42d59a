/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Allocated and freed by a library that is closed before the second free. */
#include "tests/misuse/misuse.h"

#include <dlfcn.h>

int main(void)
{
	void *library = dlopen("libclosed.so", RTLD_NOW);

	if (!library)
		return 1;
	char *(*make_there)(size_t) =
		(char *(*)(size_t))dlsym(library, "closed_make");
	void (*drop_there)(void *) =
		(void (*)(void *))dlsym(library, "closed_drop");
	char *p = make_there(50);

	drop_there(p);
	dlclose(library);
	drop(p);
	return 0;
}

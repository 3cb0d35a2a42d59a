/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A library opened with RTLD_DEEPBIND shares the program's heap, and is found
 * by the RUNPATH of who opens it: both are lost where dlopen is not forwarded
 * with care.
 */
#include "tests/contract/contract.h"

#include <dlfcn.h>
#include <string.h>

int main(void)
{
	void *library = dlopen("deepbind_library.so", RTLD_NOW | RTLD_DEEPBIND);

	CHECK(library);
	void (*release)(void *) =
		(void (*)(void *))dlsym(library, "library_release");
	char *(*make)(size_t) =
		(char *(*)(size_t))dlsym(library, "library_make");

	CHECK(release && make);
	for (size_t size = 1; size < 300000; size *= 3) {
		release(opaque(memset(malloc(size), 1, size)));
		char *made = make(size);
		char *grown = realloc(made, size * 2);

		CHECK(grown[size - 1] == 2);
		free(opaque(grown));
	}
	CHECK(dlclose(library) == 0);
	CHECK(!dlopen("deepbind_no_such_library.so", RTLD_NOW));
	CHECK(strstr(dlerror(), "deepbind_no_such_library.so"));
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/demangle.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Templates make long names; beyond this nobody reads them. */
enum { NAME_MAX_SIZE = 16 * 1024 };

static void load(struct demangler *demangler)
{
	demangler->tried = true;
	demangler->library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
	if (!demangler->library)
		return;
	void *found = dlsym(demangler->library, "__cxa_demangle");
	/* POSIX's way from an object pointer to a function pointer. */
	memcpy(&demangler->demangle, &found, sizeof(found));
}

void demangler_deinit(struct demangler *demangler)
{
	if (demangler->library)
		dlclose(demangler->library);
	*demangler = (struct demangler){ 0 };
}

char *demangle(struct demangler *demangler, const char *name)
{
	int status = -1;

	if (strncmp(name, "_Z", 2) != 0 ||
	    strnlen(name, NAME_MAX_SIZE) == NAME_MAX_SIZE)
		return NULL;
	if (!demangler->tried)
		load(demangler);
	if (!demangler->demangle)
		return NULL;
	char *text = demangler->demangle(name, NULL, NULL, &status);
	if (text && status != 0) {
		free(text);
		text = NULL;
	}
	return text;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/debuginfod.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int find_function(void *session, const unsigned char *id, int id_size,
			  char **path);

struct debuginfod {
	void *library;
	void *session;
	void (*end)(void *session);
	find_function *find_debuginfo, *find_executable;
	const char *missing; /* why there can be no answer */
};

/* POSIX's way from an object pointer to a function pointer. */
static bool take_symbol(void *library, const char *name, void *ret, size_t size)
{
	void *found = dlsym(library, name);

	memcpy(ret, &found, size);
	return found != NULL;
}

static const char *load(struct debuginfod *client)
{
	void *(*begin)(void);
	const char *urls = getenv("DEBUGINFOD_URLS");

	if (!urls || !*urls)
		return "--debuginfod: DEBUGINFOD_URLS names no server";
	client->library = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);
	if (!client->library)
		return "--debuginfod needs libdebuginfod (Debian's "
		       "libdebuginfod1)";
	if (!take_symbol(client->library, "debuginfod_begin", &begin,
			 sizeof(begin)) ||
	    !take_symbol(client->library, "debuginfod_end", &client->end,
			 sizeof(client->end)) ||
	    !take_symbol(client->library, "debuginfod_find_debuginfo",
			 &client->find_debuginfo,
			 sizeof(client->find_debuginfo)) ||
	    !take_symbol(client->library, "debuginfod_find_executable",
			 &client->find_executable,
			 sizeof(client->find_executable)))
		return "--debuginfod: libdebuginfod is another one";
	client->session = begin();
	return client->session ? NULL : "--debuginfod: out of memory";
}

struct debuginfod *debuginfod_create(void)
{
	struct debuginfod *client = calloc(1, sizeof(*client));

	if (client)
		client->missing = load(client);
	return client;
}

void debuginfod_destroy(struct debuginfod *client)
{
	if (!client)
		return;
	if (client->session)
		client->end(client->session);
	if (client->library)
		dlclose(client->library);
	free(client);
}

struct err *debuginfod_find(struct debuginfod *client, const void *id,
			    size_t id_size, bool debug, char **ret)
{
	find_function *find;

	if (!client)
		return err_new(ERR_NO_MEMORY, "--debuginfod");
	if (client->missing)
		return err_new(ERR_UNSUPPORTED, "%s", client->missing);
	find = debug ? client->find_debuginfo : client->find_executable;
	*ret = NULL;
	int fd = find(client->session, id, (int)id_size, ret);
	if (fd < 0)
		return err_new(ERR_NOT_FOUND, "debuginfod: %s", strerror(-fd));
	close(fd);
	if (!*ret)
		return err_new(ERR_NO_MEMORY, "debuginfod");
	return NULL;
}

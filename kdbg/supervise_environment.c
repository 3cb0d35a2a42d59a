/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/supervise_environment.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What libkma has room for, less the suffix. */
enum { DUMP_PATH_MAX = 1000 };

/* From the folder of kdbg's executable, most likely first. */
static const char *const library_places[] = {
	"../alloc/libkma_malloc.so",
	"../" KDBG_LIBDIR "/libkma_malloc.so",
};

static struct err *find_library(char **ret)
{
	char exe[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (size < 0)
		return err_new(ERR_IO, "/proc/self/exe: %s", strerror(errno));
	exe[size] = '\0';
	*strrchr(exe, '/') = '\0';
	for (size_t i = 0;
	     i < sizeof(library_places) / sizeof(library_places[0]); i++) {
		char path[PATH_MAX * 2];
		snprintf(path, sizeof(path), "%s/%s", exe, library_places[i]);
		*ret = realpath(path, NULL);
		if (*ret)
			return NULL;
	}
	return err_new(ERR_NOT_FOUND,
		       "libkma_malloc.so is neither in %s/../alloc nor in "
		       "%s/../%s",
		       exe, exe, KDBG_LIBDIR);
}

static struct err *make_preload(char **ret)
{
	const char *before = getenv("LD_PRELOAD");
	char *library = NULL;
	struct err *err = find_library(&library);

	if (err)
		return err;
	if (strpbrk(library, ": "))
		err = err_new(ERR_UNSUPPORTED,
			      "%s: LD_PRELOAD cannot name a path with a space "
			      "or a colon",
			      library);
	else if (asprintf(ret, "%s%s%s", library, before && *before ? ":" : "",
			  before ? before : "") < 0)
		err = err_new(ERR_NO_MEMORY, "out of memory");
	free(library);
	return err;
}

bool supervise_is_tier(const char *tier)
{
	static const char *const names[] = { "off", "lite", "audit", "default",
					     "guard" };

	for (size_t i = 0; tier && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(tier, names[i]) == 0)
			return true;
	return !tier;
}

/* Items of the environment's own KMA_DUMP come first: later ones hold. */
static int print_dump_option(char **ret, const char *path, const char *suffix,
			     const char *level)
{
	const char *before = getenv("KMA_DUMP");

	return asprintf(ret, "%s%spath=%s.%s,on=exit+fatal+killed+error%s%s",
			before ? before : "", before && *before ? "," : "",
			path, suffix, level ? ",level=" : "",
			level ? level : "");
}

struct err *supervise_dump_option(const char *path, const char *suffix,
				  const char *level, char **ret)
{
	char *literal = calloc(2, strlen(path) + 1), *out = literal;
	struct err *err = NULL;

	for (const char *in = path; literal && *in; in++) {
		if (*in == '%')
			*out++ = '%';
		*out++ = *in;
	}
	if (strchr(path, ','))
		err = err_new(ERR_UNSUPPORTED,
			      "%s: KMA_DUMP cannot name a path with a comma",
			      path);
	else if (literal && strlen(literal) > DUMP_PATH_MAX)
		err = err_new(
			ERR_UNSUPPORTED,
			"%s: longer than the %d bytes that KMA_DUMP takes",
			path, DUMP_PATH_MAX);
	else if (!literal || print_dump_option(ret, literal, suffix, level) < 0)
		err = err_new(ERR_NO_MEMORY, "out of memory");
	free(literal);
	return err;
}

/* Of two items that contradict each other the later holds. */
static struct err *make_debug(char **ret, const char *tier, bool keep_going)
{
	const char *before = getenv("KMA_DEBUG");
	bool as_libumem = !before && getenv("UMEM_DEBUG");

	*ret = NULL;
	if (as_libumem && !tier && !keep_going)
		return NULL;
	if (asprintf(ret, "audit%s%s%s%s%s", before && *before ? "," : "",
		     before ? before : "", tier ? "," : "", tier ? tier : "",
		     keep_going ? ",noabort" : "") < 0)
		return err_new(ERR_NO_MEMORY, "out of memory");
	return NULL;
}

struct err *supervise_environment_init(struct supervise_environment *ret,
				       const char *tier, bool keep_going,
				       const char *dump, const char *roster)
{
	struct supervise_environment environment = { NULL };
	struct err *err = make_preload(&environment.preload);

	if (!err)
		err = make_debug(&environment.debug, tier, keep_going);
	environment.dump = strdup(dump);
	environment.roster = strdup(roster);
	if (!err && (!environment.dump || !environment.roster))
		err = err_new(ERR_NO_MEMORY, "out of memory");
	if (err)
		supervise_environment_deinit(&environment);
	else
		*ret = environment;
	return err;
}

void supervise_environment_deinit(struct supervise_environment *environment)
{
	free(environment->preload);
	free(environment->debug);
	free(environment->dump);
	free(environment->roster);
}

bool supervise_environment_apply(
	const struct supervise_environment *environment)
{
	return setenv("LD_PRELOAD", environment->preload, 1) == 0 &&
	       (!environment->debug ||
		setenv("KMA_DEBUG", environment->debug, 1) == 0) &&
	       setenv("KMA_DUMP", environment->dump, 1) == 0 &&
	       setenv("KMA_ROSTER", environment->roster, 1) == 0 &&
	       setenv("G_SLICE", "always-malloc", 0) == 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/environment.h"

#include "alloc/meta.h"
#include "alloc/readable.h"
#include "alloc/startup.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

static const char preload_name[] = "LD_PRELOAD=";
static const char library_name[] = "libkma_malloc.so";

static const char *const variables[] = {
	"KMA_ROSTER=", "KMA_DEBUG=",  "KMA_LOGGING=",  "KMA_OPTIONS=",
	"KMA_DUMP=",   "UMEM_DEBUG=", "UMEM_LOGGING=", "UMEM_OPTIONS=",
};
enum { VARIABLE_COUNT = sizeof(variables) / sizeof(variables[0]) };

/* NULL where the variable was not set when we started. */
static struct {
	char *preload;                /* our path alone, without the name */
	char *values[VARIABLE_COUNT]; /* "NAME=value" */
} kept;

static bool has_name(const char *entry, const char *name)
{
	return strncmp(entry, name, strlen(name)) == 0;
}

static char *const *find_entry(char *const *envp, const char *name)
{
	for (; envp && *envp; envp++)
		if (has_name(*envp, name))
			return envp;
	return NULL;
}

static bool is_separator(char c)
{
	return c == ':' || c == ' ';
}

/* LD_PRELOAD's next element from *list on, its size; NULL: no more. */
static const char *next_element(const char **list, size_t *size)
{
	const char *start = *list, *end;

	while (is_separator(*start))
		start++;
	for (end = start; *end && !is_separator(*end);)
		end++;
	*size = (size_t)(end - start);
	*list = end;
	return *size ? start : NULL;
}

static bool names_library(const char *element, size_t size)
{
	const char *slash = memrchr(element, '/', size);
	const char *base = slash ? slash + 1 : element;

	return size - (size_t)(base - element) >= strlen(library_name) &&
	       memcmp(base, library_name, strlen(library_name)) == 0;
}

/* A copy: programs overwrite the environment they were given (setproctitle). */
static char *keep(const char *text, size_t size)
{
	char *copy = kma_meta_alloc(size + 1);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

void kma_environment_init(void)
{
	char *const *strings = kma_startup_environment();
	char *const *preload = find_entry(strings, preload_name);
	const char *list = preload ? *preload + strlen(preload_name) : "";
	const char *element;
	size_t size;

	while ((element = next_element(&list, &size)) && !kept.preload)
		if (names_library(element, size))
			kept.preload = keep(element, size);
	for (size_t i = 0; i < VARIABLE_COUNT; i++) {
		char *const *entry = find_entry(strings, variables[i]);
		if (entry)
			kept.values[i] = keep(*entry, strlen(*entry));
	}
}

static bool preloads_us(const char *entry)
{
	const char *list = entry + strlen(preload_name), *element;
	size_t size;

	while ((element = next_element(&list, &size)))
		if (names_library(element, size))
			return true;
	return false;
}

size_t kma_environment_size(char *const *envp)
{
	size_t missing = 0, entries = 0, text = 0;

	if (!kept.preload || !kma_readable_list(envp))
		return 0;

	char *const *preload = find_entry(envp, preload_name);

	if (!preload || !preloads_us(*preload)) {
		missing++;
		text = strlen(preload_name) + strlen(kept.preload) + 2 +
		       (preload ? strlen(*preload) : 0);
	}
	for (size_t i = 0; i < VARIABLE_COUNT; i++)
		if (kept.values[i] && !find_entry(envp, variables[i]))
			missing++;
	if (!missing)
		return 0;
	for (char *const *p = envp; p && *p; p++)
		entries++;
	size_t size = (entries + missing + 1) * sizeof(char *) + text;
	return size <= KMA_ENVIRONMENT_MAX ? size : 0;
}

/* "LD_PRELOAD=ours:theirs" at text. */
static void join_preload(char *text, const char *theirs)
{
	text = stpcpy(stpcpy(text, preload_name), kept.preload);
	theirs = theirs ? theirs + strlen(preload_name) : "";
	if (*theirs) {
		*text++ = ':';
		memcpy(text, theirs, strlen(theirs) + 1);
	}
}

char **kma_environment_fill(char *const *envp, void *memory)
{
	char *const *preload = find_entry(envp, preload_name);
	char **complete = memory;
	size_t n = 0;

	for (char *const *p = envp; p && *p; p++)
		if (p != preload || preloads_us(*p))
			complete[n++] = *p;
	for (size_t i = 0; i < VARIABLE_COUNT; i++)
		if (kept.values[i] && !find_entry(envp, variables[i]))
			complete[n++] = kept.values[i];
	if (!preload || !preloads_us(*preload)) {
		/* What size() counted for the text lies behind the array, of
		 * which this is the last entry but for the NULL. */
		char *text = (char *)&complete[n + 2];
		join_preload(text, preload ? *preload : NULL);
		complete[n++] = text;
	}
	complete[n] = NULL;
	return complete;
}

bool kma_environment_foreign(char *const *envp)
{
	if (!kma_readable_list(envp))
		return false;

	char *const *entry = find_entry(envp, variables[0]);

	return entry && kept.values[0] && strcmp(*entry, kept.values[0]) != 0;
}

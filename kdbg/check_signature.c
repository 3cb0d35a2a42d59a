/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of a stack stays the same when the program is built again, loaded
 * elsewhere, or moved to the next machine:
 *
 *	in	names of functions, inlined ones too, and the last part of the
 *		path of each one's module
 *	out	addresses, offsets, files and lines; the allocator's own frames,
 *		which are kdbg's business; what called main, or the function of
 *		a thread, which is libc's
 *
 * A library's ".so.1.2" is cut after ".so", and what a compiler appends to the
 * name of a copy it made (".isra.0", " [clone .cold]"). The class of a leak is
 * left out: the same loss is definite today and possible tomorrow, by a stale
 * word.
 */
#include "kdbg/check_signature.h"

#include <string.h>

static uint64_t hash_bytes(uint64_t hash, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) *
		       UINT64_C(0x100000001b3); /* FNV-1a */
	return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "";
}

static bool is_allocator(const struct check_frame *frame)
{
	const char *name = base_name(frame->module);

	return strncmp(name, "libkma.so", 9) == 0 ||
	       strncmp(name, "libkma_malloc.so", 16) == 0;
}

/* libc's, or our own function that a thread begins with. */
static bool is_start(const struct check_frame *frame)
{
	return is_allocator(frame) ||
	       strncmp(base_name(frame->module), "libc.so", 7) == 0;
}

void check_signature_span(const struct check_stack *stack, size_t *first,
			  size_t *end)
{
	*first = 0;
	while (*first < stack->count && is_allocator(&stack->frames[*first]))
		++*first;
	for (*end = *first; *end < stack->count; ++*end) {
		const char *name = stack->frames[*end].function;
		if (name && strcmp(name, "main") == 0) {
			++*end;
			return;
		}
	}
	/* All of it may be libc's: then that is what there is to tell. */
	size_t own = *end;
	while (own > *first && is_start(&stack->frames[own - 1]))
		own--;
	if (own > *first)
		*end = own;
}

static size_t stable_module_length(const char *name)
{
	const char *so = strstr(name, ".so");

	return so ? (size_t)(so - name) + 3 : strlen(name);
}

/* No name in C has a dot; one in C++ has none before its '<' or '('. */
static size_t stable_name_length(const char *name)
{
	const char *clone = strstr(name, " [clone ");
	const char *offset = strstr(name, "+0x");
	size_t plain = strcspn(name, ".(<");
	size_t length = strlen(name);

	if (offset && (size_t)(offset - name) < length)
		length = (size_t)(offset - name);
	if (clone && (size_t)(clone - name) < length)
		length = (size_t)(clone - name);
	if (plain && name[plain] == '.' && plain < length)
		length = plain;
	return length;
}

uint64_t check_signature(const char *kind, const struct check_stack *stack)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t first, end;

	hash = hash_bytes(hash, kind, strlen(kind));
	check_signature_span(stack, &first, &end);
	for (size_t i = first; i < end; i++) {
		const struct check_frame *frame = &stack->frames[i];
		const char *module = base_name(frame->module);
		const char *name = frame->function ? frame->function : "";
		hash = hash_bytes(hash, module, stable_module_length(module));
		hash = hash_bytes(hash, name, stable_name_length(name));
	}
	return hash;
}

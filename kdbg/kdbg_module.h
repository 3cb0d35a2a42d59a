/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands and walkers of your own, loaded with ::load foo.so.
 *
 * A module is a shared object that defines kdbg_module, as
 * docs/example_module.c does. It needs this header and nothing else: all of
 * kdbg that it can use comes as functions in kdbg->api. Commands get help,
 * completion, text, JSON and pipes from their tables, as kdbg's own do.
 *
 * Functions that can fail return 0, or -1 and keep the reason; a command that
 * then returns -1 itself has it shown. A module that crashes is unloaded, and
 * kdbg goes on. Nothing here may be called from another thread.
 *
 * KDBG_MODULE_VERSION changes when a module would have to be compiled anew;
 * what is added at the end of struct kdbg_api does not change it, and
 * api->size tells what is there.
 */
#ifndef KDBG_MODULE_H
#define KDBG_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { KDBG_MODULE_VERSION = 1 };

enum kdbg_kind {
	KDBG_ADDRESS,
	KDBG_HEX,
	KDBG_COUNT,
	KDBG_SIGNED,
	KDBG_SIZE, /* bytes */
	KDBG_REAL,
	KDBG_TEXT,
};

struct kdbg_column {
	const char *name; /* heading; JSON key in lower case */
	enum kdbg_kind kind;
	int width; /* least width; 0: the kind's */
};

/* Of the kind its column has. */
struct kdbg_value {
	union {
		uint64_t number;
		int64_t signed_number;
		double real;
		const char *text; /* NULL: none */
	};
	bool absent;
};

struct kdbg; /* the session, as a module sees it */

/* False: stop. */
typedef bool kdbg_each(void *context, uint64_t value);

struct kdbg_api {
	size_t size; /* of this structure */

	/* The target's memory: all of it, or as much as there is. */
	int (*read)(struct kdbg *kdbg, uint64_t address, void *buffer,
		    size_t size);
	size_t (*read_some)(struct kdbg *kdbg, uint64_t address, void *buffer,
			    size_t size);

	/* "main", "libc.so.6`malloc"; and back, "main+0x12". */
	int (*find_symbol)(struct kdbg *kdbg, const char *name,
			   uint64_t *address);
	void (*format_address)(struct kdbg *kdbg, uint64_t address,
			       char *buffer, size_t size);

	/* The value of an expression of kdbg's language. */
	int (*evaluate)(struct kdbg *kdbg, const char *text, uint64_t *value);

	/* Run a walker of kdbg's: walk(kdbg, "kmem", NULL, each, context). */
	int (*walk)(struct kdbg *kdbg, const char *walker,
		    const uint64_t *address, kdbg_each *each, void *context);

	/* A row of the running command: a value for each of its columns. */
	void (*row)(struct kdbg *kdbg, const struct kdbg_value *values);
	void (*note)(struct kdbg *kdbg, const char *format, ...);

	/* Why the command fails; always -1. */
	int (*fail)(struct kdbg *kdbg, const char *format, ...);

	/* Ctrl-C was pressed or nobody wants more: return soon. */
	bool (*stopped)(struct kdbg *kdbg);
};

struct kdbg {
	const struct kdbg_api *api;
};

enum kdbg_address { KDBG_NO_ADDRESS, KDBG_MAY_ADDRESS, KDBG_NEEDS_ADDRESS };

struct kdbg_call {
	uint64_t address; /* dot, if none was given */
	bool has_address;
	int argc;
	const char *const *argv;
};

struct kdbg_command {
	const char *name;
	const char *summary; /* one line, no full stop */
	const char *help;
	const char *example;
	const char *arguments; /* how usage shows them; NULL: none */
	enum kdbg_address address;
	const struct kdbg_column *columns;
	size_t column_count;
	int (*run)(struct kdbg *kdbg, const struct kdbg_call *call);
};

struct kdbg_walker {
	const char *name;
	const char *summary;
	enum kdbg_address address;
	int (*walk)(struct kdbg *kdbg, const uint64_t *address, kdbg_each *each,
		    void *context);
};

/* What a module defines: const struct kdbg_module kdbg_module = { ... }; */
struct kdbg_module {
	unsigned version; /* KDBG_MODULE_VERSION */
	const char *name;
	const struct kdbg_command *commands;
	size_t command_count;
	const struct kdbg_walker *walkers;
	size_t walker_count;
};

#ifdef __cplusplus
}
#endif

#endif

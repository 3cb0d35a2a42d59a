/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a command is, and what a walker is.
 *
 * A command is data and one function. Options, columns, help and usage are
 * tables, so that parsing, help, completion and output cannot drift apart. It
 * keeps no state between calls (the session does, in its views), never parses
 * and never prints. A damaged heap is normal input: it emits what it could
 * read, notes what it could not, and returns an error only when nothing more
 * can be read.
 *
 * To add a command: a file in kdbg/dcmds/ with its options' structure, the
 * tables and one function; a declaration in dcmds.h; a line in table.c and in
 * meson.build. What runs it (kdbg/invoke.h) has parsed the options, checked the
 * address and announced tables[0] to the sink before run() is called; a command
 * that emits another of its tables calls sink_table(out, &tables[n]) first. A
 * long loop asks session_interrupted() and out->failed now and then.
 */
#ifndef KDBG_DCMD_H
#define KDBG_DCMD_H

#include "dumpfmt/err.h"
#include "kdbg/session.h"
#include "kdbg/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_NUMBER, /* uint64_t, an expression */
	OPTION_TEXT,   /* const char *, lives as long as the call */
	OPTION_SYMBOL, /* uint64_t, an expression or symbol */
};

struct option {
	char letter;      /* 0: long only */
	const char *name; /* long form without "--", or NULL */
	enum option_kind kind;
	size_t offset;        /* in the command's options structure */
	const char *argument; /* what help calls it; NULL for a flag */
	const char *help;
};

/* Options are parsed up to the first word that is none; "--" ends them too. A
 * command without options takes every word as it is. What is not given is zero.
 */
enum address_use { ADDRESS_NONE, ADDRESS_OPTIONAL, ADDRESS_REQUIRED };

struct dcmd;

struct dcmd_call {
	struct session *session;
	const struct dcmd *dcmd; /* the command itself */
	uint64_t address;
	bool has_address;
	uint64_t count; /* "addr,count"; 1 when not given */
	bool has_count;
	bool piped;          /* address comes from a pipe */
	bool to_pipe;        /* its rows go to another command */
	uint64_t index;      /* of this call in its pipe or count, from 0 */
	bool *enough;        /* set: this stage wants no more values */
	const void *options; /* of options_size bytes, parsed */
	int argc;            /* what is left after options */
	const char *const *argv;
	/* The whole list from the pipe, for commands that take it at once. */
	const uint64_t *list;
	size_t list_count;
};

struct dcmd {
	const char *name;
	/* NULL-terminated, or NULL. "$v -n": $v is the command with this
	 * word before all others. */
	const char *const *aliases;
	const char *summary; /* one line, no full stop */
	const char *help;    /* paragraphs */
	const char *example; /* a command line that works */
	/* What its words can be, where the usage does not tell the prompt:
	 * calls found for each. */
	void (*words)(void (*found)(void *context, const char *word),
		      void *context);
	const char *arguments; /* usage after the options, or NULL */
	enum address_use address_use;
	const char *address_is; /* what the address names: "cache" */
	const struct option *options;
	size_t option_count;
	size_t options_size;
	const struct table *tables; /* all it can emit; [0] is the default */
	size_t table_count;
	bool takes_list;  /* wants list instead of one call per value */
	bool takes_empty; /* ... also if it is empty */
	bool takes_count; /* "addr,count": count is its own, no repetition */
	struct err *(*run)(const struct dcmd_call *call, struct sink *out);
};

/* The words that go with the alias that the command was called by, from a blank
 * on; "": none. */
const char *dcmd_alias_words(const struct dcmd *dcmd, const char *name);

/* Called for each value; false: stop. */
typedef bool walk_fn(void *context, uint64_t value);

struct walker {
	const char *name;
	const char *const *aliases;
	const char *summary;
	enum address_use address_use;
	const char *address_is;
	struct err *(*walk)(struct session *session, bool has_address,
			    uint64_t address, walk_fn *each, void *context);
};

#endif

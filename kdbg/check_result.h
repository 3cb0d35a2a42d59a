/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a check found, ready to be told: every text is made, every number is
 * known, and a report only lays them out. All of it lies in one arena.
 */
#ifndef KDBG_CHECK_RESULT_H
#define KDBG_CHECK_RESULT_H

#include "kdbg/arena.h"
#include "kdbg/source_root.h"
#include "kdbg/supervise_accounts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct check_frame {
	const char *function; /* or "module+0x12" where there is no name */
	const char *file;     /* NULL: not known */
	unsigned line;
	const char *linkage;   /* as in the symbol table; NULL: not known */
	const char *module;    /* path; NULL: none */
	uint64_t pc;           /* the return address */
	const char *directory; /* file was compiled in; NULL: not known */
	const char *symbol;    /* what the code at pc is part of, mangled; as
				  linkage where it is not inlined and the
				  compiler made no copy (f.part.0) */
	bool inlined;          /* into the next frame, of the same pc */
	bool allocators;       /* libkma's */
};

struct check_stack {
	const struct check_frame *frames; /* innermost first */
	size_t count;
	bool truncated; /* it goes on, nobody knows where */
};

/* What a baseline says of a leak. */
enum check_baseline {
	BASELINE_NONE, /* there is no baseline */
	BASELINE_NEW,
	BASELINE_GROWN,
	BASELINE_KNOWN,
};

struct check_leak { /* one group of leaked buffers */
	const char *class;
	const char *cache;       /* of what holds most of it */
	uint64_t more_caches;    /* that have some of it, too */
	const char *malloc_type; /* of typed malloc; or NULL */
	uint64_t leaked, bytes, retained;
	uint64_t address; /* of the oldest */
	bool cycle;
	/* The program's name for that time (kma_checkpoint), as of a test; or
	 * NULL. */
	const char *moment;
	enum check_baseline baseline;
	/* The first frame of the stack that is the program's. */
	struct check_frame caller;
	struct check_stack stack;
};

struct check_error { /* one misuse */
	const char *name, *message;
	uint64_t address, buffer, size;
	uint64_t expected,
		found; /* the bytes at address; the same: no matter */
	struct check_stack reported, allocated, freed;
};

/* The signal that ended a process, where no error explains it. */
struct check_crash {
	const char *signal;  /* without SIG */
	const char *message; /* "SIGSEGV at 0x8: a null pointer, or near one" */
	uint64_t address;    /* that it is about; 0: none */
	struct check_stack stack;
};

enum check_verdict {
	CHECK_CHECKED,
	CHECK_UNCHECKED, /* reason tells why; no green */
	CHECK_ALLOWED,   /* unchecked, and need not be: by the user, or of the
			    system */
	CHECK_IGNORED,   /* skipped, or another supervisor's: not counted */
};

struct check_process {
	uint32_t pid, ppid;
	const char *path;
	const char *arguments; /* NULL: not known */
	enum check_verdict verdict;
	const char *reason; /* of an unchecked one */
	bool system;   /* of the system, run as a child: does not fail the check
			*/
	bool command;  /* the command's own process */
	bool forked;   /* judged on what it allocated after its fork */
	bool replaced; /* judged for heap errors only */
	uint64_t buffers, buffer_bytes; /* live, looked at */
	const struct check_leak *leaks; /* definite, and what those hold */
	size_t leak_count;
	uint64_t leaked_buffers, leaked_bytes;
	/* Referred to from inside only: told, and a failure if so wished. */
	const struct check_leak *possible;
	size_t possible_count;
	uint64_t possible_buffers, possible_bytes;
	/* Leaks that the baseline has, of both kinds: no failure. */
	const struct check_leak *known;
	size_t known_count;
	uint64_t known_buffers, known_bytes;
	const struct check_error *errors;
	size_t error_count;
	uint64_t errors_reported;        /* all; the first ones are in errors */
	const struct check_crash *crash; /* or NULL */
	const char *suppressions; /* that the program brings along; or NULL */
	const char *trust;        /* what was scanned; NULL: no leak check */
	const char *dump;         /* path, where it is kept; else NULL */
	const char *dump_failure; /* why none is kept; NULL: none was wanted */
	const char *file;         /* path of the dump, kept or not; or NULL */
};

/* A leak of the baseline that was in no process this time. */
struct check_gone {
	const char *program, *place;
	uint64_t signature, buffers, bytes;
};

struct suppression;

struct check_result {
	struct arena arena;
	struct check_process *processes;
	size_t count;
	uint64_t lost; /* records of the roster: something is on no account */
	bool crashed;  /* the command */
	bool timed_out;
	unsigned timeout;
	bool possible_fails;                    /* --fail-on=possible */
	char *const *argv;                      /* the command */
	const struct suppression *suppressions; /* NULL: none */
	bool gen_suppressions;
	struct source_root src_root;
	const char *baseline; /* path; NULL: none */
	bool baseline_updated;
	const struct check_gone *gone;
	size_t gone_count;
	size_t known; /* groups, of all processes */
	time_t started;
	double seconds; /* that the command ran */
	int status;     /* the verdict */
	/* Of processes, without ignored ones and replaced images. */
	size_t checked, unchecked, allowed;
	uint64_t buffers;
	/* What the verdict counts, and what is only told of the system's. */
	struct check_totals {
		size_t groups, possible, errors;
		uint64_t leaked_buffers, leaked_bytes;
	} own, system;
};

static inline bool check_has_findings(const struct check_result *result,
				      const struct check_process *process)
{
	return process->leak_count || process->errors_reported ||
	       (result->possible_fails && process->possible_count);
}

/* The command's crash is told, as a shell would. A child's is its parent's to
 * tell: tests make children that crash. */
static inline bool check_has_crashed(const struct check_process *process)
{
	return process->command && process->crash;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What dump*.c tell each other. */
#ifndef ALLOC_DUMP_IMPL_H
#define ALLOC_DUMP_IMPL_H

#include "alloc/dump.h"
#include "dumpfmt/ask.h"
#include "dumpfmt/facts.h"
#include "dumpfmt/live.h"
#include "dumpfmt/stopped.h"
#include "dumpfmt/writer.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* --- dump.c ---------------------------------------------------------------
 */

struct dump_asked;

struct dump_request {
	enum kma_dump_reason reason;
	const siginfo_t *info;     /* NULL: no signal */
	const ucontext_t *context; /* of the interrupted code, or NULL */
	/* Without context: as they were where the program's stack ends. What
	 * lies below, frames of ours, would hide leaks as roots do. */
	const struct kma_registers *here;
	const char *path;         /* NULL: the template's */
	bool none;                /* only the supervisor is to be told */
	bool last;                /* the process ends after it */
	bool replaced;            /* the image does, unless its exec fails */
	bool detached;            /* do not wait until it is written */
	struct dump_asked *asked; /* by another process; NULL */
	uint32_t exit_status;
};

/* The exit status, or the number of the signal that ends the process. */
int dump_end_status(const struct dump_request *request);

/* Stop, write, go on. 0, or -errno after a message. */
int dump_run(const struct dump_request *request);

void dump_tell(const char *what, int error); /* and the dump's path */

/* The signal of one who asks came. */
void dump_asked(const siginfo_t *info, const ucontext_t *context);

/* --- dump_copy.c ----------------------------------------------------------
 */

uint64_t dump_now_ns(void); /* monotonic */

/* With the threads stopped, since when is told: copy the process, let them go,
 * have the copy write. 0, or -errno. */
int dump_copy_write(const struct dump_request *request, const char *path,
		    uint64_t since);

/* --- dump_ask.c -----------------------------------------------------------
 */

struct dump_asked {
	struct dump_ask ask;
	int file, output; /* descriptors */
	struct dump_write_options write;
};

bool dump_ask_is(const siginfo_t *info);
/* False: it is no ask, or its files cannot be had. */
bool dump_ask_open(const siginfo_t *info, struct dump_asked *ret);
void dump_ask_close(struct dump_asked *asked);
/* False: it is not waited for any more. */
bool dump_ask_accept(struct dump_asked *asked);
void dump_ask_paused(struct dump_asked *asked, pid_t writer, uint64_t ns);
void dump_ask_written(struct dump_asked *asked, int status);

/* --- dump_threads.c -------------------------------------------------------
 */

struct dump_threads {
	struct dump_stopped *slots; /* by a hash of the tid */
	size_t slot_count;          /* a power of two */
	size_t used;
	size_t unrecorded; /* more threads than slots */
};

/*
 * Stop every thread but the caller; returns when each has answered or cannot.
 * Between the two calls nothing may take a lock.
 */
const struct dump_threads *dump_threads_stop(void);
void dump_threads_go(void);
/*
 * After that, wait until they have left the handler, a tenth of a second at
 * most: in a core that the kernel writes next they are where they were, and
 * debuggers that cannot step over our signal frame show their stacks.
 */
void dump_threads_wait_left(void);
/* Be there for one who asks, once libc has set its own handler, too. */
void dump_threads_listen(void);
void dump_threads_forked(void); /* in the child */

/* Registers and vector state out of a signal frame. */
void dump_threads_from_context(struct dump_stopped *thread,
			       const ucontext_t *context);

/* While it waits in a fatal handler, a thread is where the signal found it. */
extern __thread const ucontext_t *dump_thread_context
	__attribute__((tls_model("initial-exec")));

/* --- dump_resume.c --------------------------------------------------------
 */

/* Of a handler of ours, at its end: a system call of the program's that it
 * interrupted, and that would tell, begins anew. */
void dump_resume_call(ucontext_t *context);

/* --- dump_contents.c ------------------------------------------------------
 */

/* The facts of the process, as of now. */
const struct dump_process *
dump_contents_facts(const struct dump_request *request,
		    const struct dump_stopped *self);

/* The address that a fault was about; 0: it is no fault. */
uint64_t dump_fault_address(const siginfo_t *info);

/* Who is in the dump: the writing thread and the others. */
void dump_contents_threads(const struct dump_threads *threads,
			   struct dump_stopped *self);

/* Write it, to path or for one who asks. shared_pagemap is dump_live_plan's.
 * 0, or -errno. */
int dump_contents_write(const struct dump_request *request, const char *path,
			int shared_pagemap);

/* --- dump_meta.c ----------------------------------------------------------
 */

/* Make zero what of the bytes at address has no place in level meta. */
void dump_meta_strip(uint64_t address, void *bytes, size_t size);

/* --- dump_symbols.c -------------------------------------------------------
 */

/*
 * The functions that stacks lie in, one after the other; then false. Nobody
 * else lists the modules of live meanwhile.
 */
void dump_symbols_begin(struct dump_live *live,
			const struct dump_threads *threads,
			const struct dump_stopped *self);
bool dump_symbols_next(struct dump_symbol *ret);
bool dump_symbols_failed(void); /* there was no memory for it */

/* --- dump_show.c ----------------------------------------------------------
 */

/*
 * Let the supervisor look at this process where it stands. True: it has, and
 * wants no dump. False: it wants one, or there is none that looks.
 */
bool dump_show(const struct dump_request *request,
	       const struct dump_stopped *self);

/* --- dump_signal.c --------------------------------------------------------
 */

void dump_signal_init(void);
/* As on_request, for one who asks. */
void dump_signal_asked(const siginfo_t *info, void *context);

/* --- dump_exit.c ----------------------------------------------------------
 */

void dump_exit_init(void);

#endif

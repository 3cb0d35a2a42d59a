/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The roster: what a supervisor (kdbg check, kdbg run) and the processes it
 * looks after tell each other.
 *
 *	| header, 4096 bytes | record 0 | record 1 | ... sparse file ... |
 *
 * A file in the supervisor's private directory, named by KMA_ROSTER. libkma
 * maps it (MAP_SHARED) when it starts, so that descriptors which the program
 * closes, a chroot or a seccomp filter that comes later do not matter, and so
 * that the child of a vfork can write in it without touching its parent.
 *
 * A record is taken by one atomic addition to header.taken, filled, and made
 * whole by a release store of state: no lock, nothing to clean up after a
 * process that is killed half-way. Only records below header.limit have
 * storage behind them; the supervisor moves the limit up as they are used, and
 * who finds none counts himself in header.lost. Nothing is ever reused.
 *
 * The life of a process, in records about its pid:
 *
 *	FORK | SPAWN | EXEC	somebody made it, or it replaces itself
 *	HELLO			libkma runs in the image that is there now
 *	SHOW			the image ends, and stands still to be looked at
 *	BYE			the image ends and has left its dump, or none
 *
 * A pid that was announced and never says HELLO could not be checked; one that
 * said HELLO and never BYE died too fast to be. vfork leaves no record: until
 * its EXEC the child is its parent's guest.
 *
 * Where the header says ROSTER_IN_PLACE, the supervisor reads the memory of a
 * process that ends. Who writes a SHOW waits for the supervisor's word in
 * reply, by futex alone, so that a program's chroot or seccomp filter does not
 * matter; it rings header.bell to be noticed. A supervisor that is gone leaves
 * header.beat as it is, and after a while who waits goes on without it.
 *
 *	process			supervisor
 *	SHOW, bell -----------> TAKEN, counts its threads
 *	stops them <----------- STOP, if there are others
 *	STOPPED, bell --------> reads its memory
 *	ends <----------------- DONE
 *	BYE, with a dump <----- DUMP, if it cannot, or a dump is wanted
 *
 * A process knows its pid in its own namespace alone, where another may have
 * the same number: both together say who it is.
 *
 * The supervisor reads the file, never what is mapped, and believes nothing:
 * checked programs can write here what they like.
 */
#ifndef DUMPFMT_ROSTER_H
#define DUMPFMT_ROSTER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROSTER_MAGIC UINT64_C(0x32524554534f524b) /* "KROSTER2" */

enum {
	ROSTER_HEADER_SIZE = 4096,
	ROSTER_RECORD_SIZE = 1024,
	ROSTER_PATH_SIZE = 952,
	ROSTER_SKIP_SIZE = 2048,
	ROSTER_CAPACITY_MAX = 1 << 20, /* records */
	ROSTER_BEAT_MS = 100,          /* the supervisor's, at most */
	ROSTER_PATIENCE_MS = 10000,    /* without a beat: it is gone */
};

enum roster_header_flags {
	ROSTER_CHILDREN_NONE = 1, /* only command_pid is audited */
	ROSTER_IN_PLACE = 2,      /* SHOW before a dump is written */
	ROSTER_CLOSED = 4,        /* nobody looks any more */
};

struct roster_header {
	uint64_t magic;
	uint32_t record_size; /* ROSTER_RECORD_SIZE */
	uint32_t flags;       /* enum roster_header_flags */
	uint64_t capacity;    /* records the file has room for */
	uint64_t limit;       /* records that have storage now */
	uint64_t taken;       /* records asked for, ever */
	uint64_t lost;        /* of these, found no storage */
	uint32_t supervisor_pid;
	uint32_t command_pid; /* the process the supervisor started */
	uint32_t bell;        /* a futex word: rung by who shows himself */
	uint32_t beat;        /* counts while the supervisor lives */
	/* Programs not to audit: patterns, each ended by NUL, "" last. */
	char skip[ROSTER_SKIP_SIZE];
	char reserved[ROSTER_HEADER_SIZE - ROSTER_SKIP_SIZE - 64];
};
static_assert(sizeof(struct roster_header) == ROSTER_HEADER_SIZE,
	      "roster header size");

enum roster_state {
	ROSTER_EMPTY = 0,   /* taken, perhaps being filled */
	ROSTER_PENDING = 1, /* SPAWN: the child has no pid yet */
	ROSTER_WHOLE = 2,
	ROSTER_CANCELLED = 3, /* the exec or spawn failed */
};

enum roster_kind {
	ROSTER_HELLO = 1,
	ROSTER_FORK = 2,  /* pid is a fork of ppid */
	ROSTER_EXEC = 3,  /* pid becomes path */
	ROSTER_SPAWN = 4, /* ppid made pid, which is path */
	ROSTER_BYE = 5,
	ROSTER_SHOW = 6,
	ROSTER_KIND_COUNT
};

enum roster_flags {
	ROSTER_PATH_CUT = 1,    /* path was longer */
	ROSTER_SKIPPED = 2,     /* HELLO, FORK: not audited, as was asked */
	ROSTER_HANDED_OVER = 4, /* EXEC, SPAWN: to another supervisor */
	ROSTER_VFORKED = 8, /* EXEC: out of a vfork; pid had no image before */
	ROSTER_FOREIGN_MALLOC = 16, /* HELLO: malloc is not libkma's here */
	ROSTER_REPLACED = 32, /* SHOW: an exec is to follow, not the end */
	ROSTER_FILTERED =
		64, /* HELLO, FORK: no system call is left for the end */
	ROSTER_SIMULATED = 128, /* HELLO: a tool runs its instructions */
};

enum roster_reply {
	ROSTER_REPLY_NONE = 0,
	ROSTER_REPLY_TAKEN = 1,
	ROSTER_REPLY_STOP = 2,    /* stop your threads */
	ROSTER_REPLY_STOPPED = 3, /* the process's: they are */
	ROSTER_REPLY_DONE = 4,    /* go on; no dump is wanted */
	ROSTER_REPLY_DUMP = 5,    /* go on, and leave a dump */
};

/* Where in the process is what its memory does not tell by itself. */
struct roster_statement {
	uint64_t token; /* address of a word that holds the record's time */
	uint64_t root;  /* kma_root */
	uint64_t self;  /* struct dump_stopped of the thread that ends it */
	uint64_t
		threads; /* array of such, of the others; stale until STOPPED */
	uint64_t thread_count; /* elements, used or not */
	uint64_t unrecorded;   /* threads that found no element */
	uint64_t fault_address;
	int32_t signal_code;
	uint32_t exit_status; /* DUMP_EXIT_STATUS_UNKNOWN: none */
};

struct roster_record {
	uint32_t state; /* enum roster_state; stored last */
	uint32_t kind;  /* enum roster_kind */
	uint32_t pid;   /* whom it is about */
	uint32_t ppid;
	uint64_t time;         /* CLOCK_MONOTONIC, nanoseconds */
	uint64_t live_buffers; /* BYE */
	uint64_t errors;       /* BYE, SHOW, EXEC: misuses reported so far */
	uint32_t flags;        /* enum roster_flags */
	uint32_t tier;         /* HELLO: enum kma_tier */
	uint32_t reason;       /* BYE, SHOW: enum dump_reason */
	int32_t status;        /* BYE, SHOW: exit status, or the signal */
	uint32_t failure; /* BYE, EXEC: errno that kept the dump from being */
	uint32_t reply;   /* SHOW: enum roster_reply, a futex word */
	/* The namespaces that pid and ppid are of, by number; 0: not known. */
	uint32_t space, parent_space;
	union {
		/* HELLO, EXEC, SPAWN: the program. BYE: the dump's file name.
		 */
		char path[ROSTER_PATH_SIZE];
		struct roster_statement statement; /* SHOW */
	};
};
static_assert(sizeof(struct roster_record) == ROSTER_RECORD_SIZE,
	      "roster record size");

static inline size_t roster_file_size(uint64_t capacity)
{
	return ROSTER_HEADER_SIZE + (size_t)capacity * ROSTER_RECORD_SIZE;
}

/*
 * Does a program's path match? '*' is any run of characters, '?' is one. A
 * pattern without '/' is compared with the last component.
 */
bool roster_match(const char *pattern, const char *path);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our entries in a supervisor's roster (dumpfmt/roster.h): that this process
 * is here, what it makes, what it becomes, how it ends. All of it does nothing
 * without KMA_ROSTER, takes no lock, allocates nothing, keeps errno, and is
 * safe in a signal handler and in the child of a vfork.
 */
#ifndef ALLOC_ROSTER_H
#define ALLOC_ROSTER_H

#include "dumpfmt/format.h"
#include "dumpfmt/roster.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Map the roster and say hello. Once, after the options are read and before
 * the first buffer is handed out: a process that the supervisor does not want
 * audited gets tier off and no dump here.
 */
void kma_roster_init(void);

/* In the child of a fork, once kma_root.pid is the child's. */
void kma_roster_forked(uint32_t parent);

/* True in a process that a supervisor looks after. */
bool kma_roster_active(void);

/* True where another process's memory is being borrowed: after vfork. */
bool kma_roster_guest(void);

/*
 * Announce that this process becomes path, or makes a process that is. NULL
 * when there is no roster or no room. kma_roster_name() corrects the path of an
 * announcement, kma_roster_cancel() takes it back, kma_roster_spawned() adds
 * the child's pid.
 */
struct roster_record *kma_roster_exec(const char *path, bool handed_over);
struct roster_record *kma_roster_spawn(const char *path, bool handed_over);
void kma_roster_name(struct roster_record *record, const char *path);
void kma_roster_cancel(struct roster_record *record);
void kma_roster_spawned(struct roster_record *record, uint32_t pid);

/* A filter of system calls will leave none for how this process ends. */
void kma_roster_filtered(void);

/* True where the supervisor looks at processes in place. */
bool kma_roster_in_place(void);

/* How a process ends, or an image of it. */
struct roster_ending {
	enum dump_reason reason;
	int status;    /* exit status, or the signal's number */
	bool replaced; /* by an exec */
};

/*
 * Show this process to a supervisor that looks at processes in place, and wait
 * for its word: STOP, which kma_roster_stopped() goes on from; DONE; DUMP, also
 * where there was no room to ask. A supervisor that is gone wants nothing:
 * DONE.
 */
enum roster_reply kma_roster_show(const struct roster_ending *ending,
				  const struct roster_statement *statement);
enum roster_reply kma_roster_stopped(const struct roster_statement *statement);

/*
 * This process ends and has left its dump at path; or none (NULL), failure
 * being the errno. status is the exit status, or the signal's number.
 */
void kma_roster_bye(enum dump_reason reason, int status, const char *path,
		    int failure);

/* The mapping, which no dump needs to hold. False: there is none. */
bool kma_roster_range(uintptr_t *base, uintptr_t *end);

/* Before RLIMIT_AS becomes address_limit: hold no more than a share of it. */
void kma_roster_let_go(uint64_t address_limit);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What became of every program that ran: the roster's records, made into one
 * account for each image.
 *
 * An image is a program in a process from the moment it is there until the
 * process ends or execs another. The records of one pid come in the order in
 * which they happened; a pid that is used again starts a new life with its FORK
 * or SPAWN. Records are hostile input: they can make nonsense of the accounts
 * of the program that wrote them, and nothing else.
 */
#ifndef KDBG_SUPERVISE_ACCOUNTS_H
#define KDBG_SUPERVISE_ACCOUNTS_H

#include "dumpfmt/err.h"
#include "dumpfmt/roster.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_NONE SIZE_MAX

struct account {
	uint32_t pid, ppid;
	uint32_t space;   /* the namespace that pid is of; 0: not known */
	size_t origin;    /* account it was forked or exec'ed from, or NONE */
	char *path;       /* of the program; "" not known */
	char *dump;       /* file name, NULL none */
	bool command;     /* the command's process, whatever it runs by now */
	bool announced;   /* somebody said that it would be */
	bool hello;       /* libkma runs in it */
	bool forked;      /* a fork that has not exec'ed */
	bool replaced;    /* an exec ended it */
	bool unseen_exec; /* ... that was not announced */
	bool bye;
	bool shown;          /* it stood still to be looked at */
	uint64_t show_index; /* ... by this record of the roster */
	bool skipped;        /* not audited, as was asked */
	bool handed_over;    /* another supervisor looks after it */
	bool foreign;        /* malloc is not libkma's in it */
	bool simulated;      /* a tool runs it, in memory of the tool's, too */
	bool filtered;       /* it may call nothing that its end would take */
	bool running;        /* still there when we stopped waiting */
	bool reaped;         /* wait_status is known */
	int wait_status;
	uint32_t reason;               /* of the bye: enum dump_reason */
	int32_t status;                /* of the bye */
	uint32_t failure;              /* errno that kept the dump from being */
	uint64_t errors;               /* misuses reported */
	uint64_t start_time, end_time; /* CLOCK_MONOTONIC, ns; end 0 unknown */
};

struct accounts;

struct err *accounts_create(struct accounts **ret) MUST_USE;
void accounts_destroy(struct accounts *accounts);

/* The command, which no libkma announces. */
struct err *accounts_command(struct accounts *accounts, uint32_t pid,
			     const char *path) MUST_USE;
/* The next record of the roster. */
struct err *accounts_add(struct accounts *accounts,
			 const struct roster_record *record) MUST_USE;
/* Records that were lost: something ran that is on no account. */
void accounts_lose(struct accounts *accounts, uint64_t count);
/* What we know without libkma. */
void accounts_reaped(struct accounts *accounts, uint32_t pid, int wait_status);
struct err *accounts_running(struct accounts *accounts, uint32_t pid,
			     const char *path) MUST_USE;

size_t accounts_list(const struct accounts *accounts,
		     const struct account **ret);
uint64_t accounts_lost(const struct accounts *accounts);

/* Is it a file of the system: under /usr, /bin, /sbin, /lib? */
bool path_is_system(const char *path);

/* Is it a program of the system run as a child? The command, and what forked
 * from it, never is. */
bool account_is_system(const struct accounts *accounts,
		       const struct account *account);

#endif

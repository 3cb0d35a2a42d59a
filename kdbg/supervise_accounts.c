/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/supervise_accounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct accounts {
	struct account *list;
	size_t count, capacity;
	/* Hash of pid to the account of its newest image; index + 1. */
	size_t *table;
	size_t table_size, pids; /* a power of two, at most half full */
	uint64_t seen;           /* records of the roster */
	uint32_t space;          /* kdbg's own namespace of pids; 0: unknown */
	uint64_t lost;
};

enum { ACCOUNTS_TABLE_MIN = 64 };

static uint32_t own_space(void)
{
	char text[32];
	ssize_t length = readlink("/proc/self/ns/pid", text, sizeof(text) - 1);
	uint32_t space = 0;

	if (length > 0) {
		text[length] = '\0';
		sscanf(text, "pid:[%" SCNu32, &space);
	}
	return space;
}

struct err *accounts_create(struct accounts **ret)
{
	struct accounts *accounts = calloc(1, sizeof(*accounts));

	if (!accounts)
		return err_new(ERR_NO_MEMORY, "out of memory");
	accounts->space = own_space();
	accounts->table_size = ACCOUNTS_TABLE_MIN;
	accounts->table = calloc(accounts->table_size, sizeof(size_t));
	if (!accounts->table) {
		free(accounts);
		return err_new(ERR_NO_MEMORY, "out of memory");
	}
	*ret = accounts;
	return NULL;
}

void accounts_destroy(struct accounts *accounts)
{
	if (!accounts)
		return;
	for (size_t i = 0; i < accounts->count; i++) {
		free(accounts->list[i].path);
		free(accounts->list[i].dump);
	}
	free(accounts->list);
	free(accounts->table);
	free(accounts);
}

/* What is not known may be the same. */
static bool same_space(uint32_t a, uint32_t b)
{
	return a == b || !a || !b;
}

static size_t *find_slot(const struct accounts *accounts, uint32_t space,
			 uint32_t pid)
{
	size_t mask = accounts->table_size - 1;
	size_t i = ((size_t)pid * UINT32_C(2654435769)) & mask;

	for (; accounts->table[i]; i = (i + 1) & mask) {
		const struct account *account =
			&accounts->list[accounts->table[i] - 1];

		if (account->pid == pid && same_space(account->space, space))
			break;
	}
	return &accounts->table[i];
}

/* The image that pid runs now, or ran last; NULL: never heard of. */
static struct account *current(const struct accounts *accounts, uint32_t space,
			       uint32_t pid)
{
	size_t index = *find_slot(accounts, space, pid);

	return index ? &accounts->list[index - 1] : NULL;
}

static bool grow_table(struct accounts *accounts)
{
	size_t *old = accounts->table, old_size = accounts->table_size;

	accounts->table = calloc(old_size * 2, sizeof(size_t));
	if (!accounts->table) {
		accounts->table = old;
		return false;
	}
	accounts->table_size = old_size * 2;
	for (size_t i = 0; i < old_size; i++)
		if (old[i]) {
			const struct account *account =
				&accounts->list[old[i] - 1];

			*find_slot(accounts, account->space, account->pid) =
				old[i];
		}
	free(old);
	return true;
}

static bool grow_list(struct accounts *accounts)
{
	size_t capacity = accounts->capacity ? accounts->capacity * 2 : 16;
	struct account *list =
		reallocarray(accounts->list, capacity, sizeof(*list));

	if (!list)
		return false;
	accounts->list = list;
	accounts->capacity = capacity;
	return true;
}

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "out of memory");
}

/* A new image of pid, which from now on is its current one. NULL: no memory. */
static struct account *open_account(struct accounts *accounts, uint32_t space,
				    uint32_t pid, const char *path)
{
	char *copy = strdup(path);

	if (!copy ||
	    (accounts->count == accounts->capacity && !grow_list(accounts)) ||
	    (accounts->pids * 2 >= accounts->table_size &&
	     !grow_table(accounts))) {
		free(copy);
		return NULL;
	}
	size_t *slot = find_slot(accounts, space, pid);
	if (!*slot)
		accounts->pids++;
	struct account *account = &accounts->list[accounts->count++];
	*account = (struct account){
		.pid = pid,
		.space = space,
		.path = copy,
		.origin = ACCOUNT_NONE,
	};
	*slot = accounts->count;
	return account;
}

static bool set_text(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return false;
	free(*field);
	*field = copy;
	return true;
}

struct err *accounts_command(struct accounts *accounts, uint32_t pid,
			     const char *path)
{
	struct account *account =
		open_account(accounts, accounts->space, pid, path);

	if (!account)
		return no_memory();
	account->command = true;
	account->announced = true;
	return NULL;
}

/* An image that is still to come: announced and silent so far. */
static bool is_expected(const struct account *account)
{
	return account && account->announced && !account->hello &&
	       !account->bye;
}

/* An image that follows another in the same process. NULL: no memory. */
static struct account *replace(struct accounts *accounts,
			       struct account *before, const char *path)
{
	size_t origin = (size_t)(before - accounts->list);

	before->replaced = true;
	struct account *account =
		open_account(accounts, before->space, before->pid, path);
	if (!account)
		return NULL;
	account->origin = origin;
	account->command = accounts->list[origin].command;
	return account;
}

/* The account of the image that says hello. NULL: no memory. */
static struct account *find_greeter(struct accounts *accounts,
				    const struct roster_record *record)
{
	struct account *account = current(accounts, record->space, record->pid);

	if (is_expected(account)) {
		if (record->path[0] && !set_text(&account->path, record->path))
			return NULL;
		return account;
	}
	if (!account || !account->hello || account->bye)
		return open_account(accounts, record->space, record->pid,
				    record->path);
	account->unseen_exec = true;
	return replace(accounts, account, record->path);
}

static struct err *add_hello(struct accounts *accounts,
			     const struct roster_record *record)
{
	struct account *account = find_greeter(accounts, record);

	if (!account)
		return no_memory();
	account->hello = true;
	account->ppid = record->ppid;
	account->start_time = record->time;
	account->skipped = (record->flags & ROSTER_SKIPPED) != 0;
	account->foreign = (record->flags & ROSTER_FOREIGN_MALLOC) != 0;
	account->simulated = (record->flags & ROSTER_SIMULATED) != 0;
	account->filtered = (record->flags & ROSTER_FILTERED) != 0;
	return NULL;
}

static struct err *add_fork(struct accounts *accounts,
			    const struct roster_record *record)
{
	const struct account *parent =
		current(accounts, record->parent_space, record->ppid);
	size_t origin =
		parent ? (size_t)(parent - accounts->list) : ACCOUNT_NONE;
	struct account *account =
		open_account(accounts, record->space, record->pid,
			     parent ? parent->path : "");

	if (!account)
		return no_memory();
	account->ppid = record->ppid;
	account->origin = origin;
	account->hello = account->forked = true;
	account->start_time = record->time;
	account->skipped = (record->flags & ROSTER_SKIPPED) != 0;
	account->filtered = (record->flags & ROSTER_FILTERED) != 0;
	if (origin != ACCOUNT_NONE) {
		account->foreign = accounts->list[origin].foreign;
		account->simulated = accounts->list[origin].simulated;
	}
	return NULL;
}

static void announce(struct account *account,
		     const struct roster_record *record)
{
	account->ppid = record->ppid;
	account->announced = true;
	account->start_time = record->time;
	account->handed_over = (record->flags & ROSTER_HANDED_OVER) != 0;
}

/* pid becomes path. What was there before has no more to say. */
static struct err *add_exec(struct accounts *accounts,
			    const struct roster_record *record)
{
	struct account *before = current(accounts, record->space, record->pid),
		       *account;

	if (before && !(record->flags & ROSTER_VFORKED)) {
		before->errors = record->errors;
		before->end_time = record->time;
		account = replace(accounts, before, record->path);
	} else {
		account = open_account(accounts, record->space, record->pid,
				       record->path);
	}
	if (!account)
		return no_memory();
	announce(account, record);
	return NULL;
}

static struct err *add_spawn(struct accounts *accounts,
			     const struct roster_record *record)
{
	struct account *account = open_account(accounts, record->space,
					       record->pid, record->path);

	if (!account)
		return no_memory();
	announce(account, record);
	return NULL;
}

static struct err *add_show(struct accounts *accounts,
			    const struct roster_record *record)
{
	struct account *account = current(accounts, record->space, record->pid);

	if (!account || !account->hello)
		account =
			open_account(accounts, record->space, record->pid, "");
	if (!account)
		return no_memory();
	account->shown = true;
	account->show_index = accounts->seen - 1;
	account->hello = true;
	account->errors = record->errors;
	if (record->flags & ROSTER_REPLACED)
		return NULL;
	account->bye = true;
	account->reason = record->reason;
	account->status = record->status;
	account->end_time = record->time;
	return NULL;
}

static struct err *add_bye(struct accounts *accounts,
			   const struct roster_record *record)
{
	struct account *account = current(accounts, record->space, record->pid);

	if (!account || !account->hello)
		account =
			open_account(accounts, record->space, record->pid, "");
	/* A misuse that goes on (noabort) says bye more than once: the last
	 * dump tells most. */
	if (!account ||
	    (record->path[0] && !set_text(&account->dump, record->path)))
		return no_memory();
	account->bye = true;
	account->hello = true;
	account->reason = record->reason;
	account->status = record->status;
	account->failure = record->failure;
	account->errors = record->errors;
	account->end_time = record->time;
	return NULL;
}

struct err *accounts_add(struct accounts *accounts,
			 const struct roster_record *record)
{
	struct roster_record copy = *record;

	accounts->seen++;
	copy.path[sizeof(copy.path) - 1] = '\0';
	if (copy.state == ROSTER_CANCELLED)
		return NULL;
	if (copy.state == ROSTER_PENDING)
		copy.pid = 0; /* its parent died while it made it */
	else if (copy.state != ROSTER_WHOLE)
		copy.kind = 0; /* who wrote it was killed meanwhile, or lies */
	switch (copy.kind) {
	case ROSTER_HELLO:
		return add_hello(accounts, &copy);
	case ROSTER_FORK:
		return add_fork(accounts, &copy);
	case ROSTER_EXEC:
		return add_exec(accounts, &copy);
	case ROSTER_SPAWN:
		return add_spawn(accounts, &copy);
	case ROSTER_SHOW:
		return add_show(accounts, &copy);
	case ROSTER_BYE:
		return add_bye(accounts, &copy);
	default:
		accounts->lost++;
		return NULL;
	}
}

void accounts_lose(struct accounts *accounts, uint64_t count)
{
	accounts->lost += count;
}

void accounts_reaped(struct accounts *accounts, uint32_t pid, int wait_status)
{
	struct account *account = current(accounts, accounts->space, pid);

	if (!account)
		return;
	account->reaped = true;
	account->wait_status = wait_status;
}

struct err *accounts_running(struct accounts *accounts, uint32_t pid,
			     const char *path)
{
	struct account *account = current(accounts, accounts->space, pid);

	if (!account)
		account = open_account(accounts, accounts->space, pid, path);
	if (!account)
		return no_memory();
	account->running = true;
	return NULL;
}

size_t accounts_list(const struct accounts *accounts,
		     const struct account **ret)
{
	*ret = accounts->list;
	return accounts->count;
}

uint64_t accounts_lost(const struct accounts *accounts)
{
	return accounts->lost;
}

static bool lies_under(const char *path, const char *folder)
{
	size_t size = strlen(folder);

	return strncmp(path, folder, size) == 0 && path[size] == '/';
}

bool path_is_system(const char *path)
{
	return lies_under(path, "/usr") || lies_under(path, "/bin") ||
	       lies_under(path, "/sbin") || lies_under(path, "/lib");
}

bool account_is_system(const struct accounts *accounts,
		       const struct account *account)
{
	/* origin is always an older account: this ends. */
	while (account->forked && account->origin != ACCOUNT_NONE)
		account = &accounts->list[account->origin];
	return !account->command && path_is_system(account->path);
}

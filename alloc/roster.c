/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/roster.h"

#include "alloc/arch.h"
#include "alloc/options.h"
#include "alloc/own_malloc.h"
#include "alloc/pages.h"
#include "alloc/range.h"
#include "alloc/root.h"
#include "alloc/roster_map.h"
#include "alloc/sandbox.h"
#include "alloc/sys.h"
#include "alloc/thread.h"
#include "dumpfmt/line.h"
#include "dumpfmt/procfs.h"
#include "dumpfmt/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
	struct roster_map map;
	bool skipped;                /* this process is not audited */
	struct roster_record *hello; /* or the fork that we are */
	struct roster_record *shown;
	uint64_t token; /* time of shown: proves whose memory it is */
	uint32_t space; /* the namespace that our pid is of; 0: not known */
} roster;

/* "pid:[4026531836]". By system calls alone: after vfork, too. */
static uint32_t space_of(const char *link)
{
	char text[32];
	uint32_t space = 0;
	long length = sys_call(SYS_readlinkat, AT_FDCWD, (long)(uintptr_t)link,
			       (long)(uintptr_t)text, sizeof(text), 0, 0);

	for (long i = 0; i < length; i++)
		if (text[i] >= '0' && text[i] <= '9')
			space = space * 10 + (uint32_t)(text[i] - '0');
	return space;
}

static uint32_t pid_space(void)
{
	return space_of("/proc/self/ns/pid");
}

/* What the process of this pid calls itself, "NSpid:\t4242\t1"; 0: not known.
 * By a descriptor: /proc may be one of a namespace that has other pids. */
static uint32_t own_pid_of(uint32_t pid)
{
	char text[512], name[32];
	struct line path;
	uint32_t own = 0;
	int fd = (int)sys_call(SYS_pidfd_open, pid, 0, 0, 0, 0, 0);

	if (fd < 0)
		return 0;
	line_init(&path, name, sizeof(name));
	line_add(&path, "fdinfo/");
	line_add_number(&path, (uint64_t)fd, 10);
	procfs_read(0, name, text, sizeof(text));
	close(fd);
	const char *at = strstr(text, "\nNSpid:");
	for (at = at ? at + 7 : ""; *at && *at != '\n'; at++)
		own = *at == '\t' ? 0 : own * 10 + (uint32_t)(*at - '0');
	return own;
}

static uint64_t monotonic_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A record of ours, still EMPTY to everybody else; NULL: no room. */
static struct roster_record *take_record(enum roster_kind kind, uint32_t pid,
					 uint32_t ppid)
{
	struct roster_header *header = roster.map.header;

	if (!header)
		return NULL;
	uint64_t index =
		__atomic_fetch_add(&header->taken, 1, __ATOMIC_RELAXED);
	uint64_t limit = __atomic_load_n(&header->limit, __ATOMIC_ACQUIRE);
	struct roster_record *record =
		index < limit ? kma_roster_map_record(&roster.map, index)
			      : NULL;
	if (!record) {
		__atomic_fetch_add(&header->lost, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	record->kind = kind;
	record->pid = pid;
	record->ppid = ppid;
	/* A parent that cannot be seen is in another namespace. */
	record->space =
		kind == ROSTER_EXEC && !ppid ? pid_space() : roster.space;
	record->parent_space = roster.space;
	record->time = monotonic_now();
	record->errors = kma_root.errors.count;
	if (roster.skipped)
		record->flags |= ROSTER_SKIPPED;
	return record;
}

static void set_state(struct roster_record *record, enum roster_state state)
{
	__atomic_store_n(&record->state, (uint32_t)state, __ATOMIC_RELEASE);
}

void kma_roster_name(struct roster_record *record, const char *path)
{
	size_t size = path ? strlen(path) : 0;

	if (!record)
		return;
	if (size >= sizeof(record->path)) {
		size = sizeof(record->path) - 1;
		record->flags |= ROSTER_PATH_CUT;
	}
	if (size)
		memcpy(record->path, path, size);
	record->path[size] = '\0';
}

void kma_roster_cancel(struct roster_record *record)
{
	if (record)
		set_state(record, ROSTER_CANCELLED);
}

/* Is path one of the programs the supervisor does not want audited? */
static bool on_skip_list(const char *path)
{
	const char *pattern = roster.map.header->skip;
	const char *end = pattern + sizeof(roster.map.header->skip);

	while (pattern < end && *pattern) {
		size_t size = strnlen(pattern, (size_t)(end - pattern));
		if (pattern + size == end)
			return false;
		if (roster_match(pattern, path))
			return true;
		pattern += size + 1;
	}
	return false;
}

static void stop_auditing(void)
{
	roster.skipped = true;
	kma_options.tier = KMA_TIER_OFF;
	kma_options.dump.on_exit = false;
	kma_options.dump.on_fatal = false;
	kma_options.dump.on_killed = false;
	kma_options.dump.on_error = false;
}

/* What is there holds no pointer of the program's. */
static void tell_range(void)
{
	kma_root.roster_base = roster.map.base;
	kma_root.roster_end = roster.map.stop;
}

void kma_roster_init(void)
{
	char path[ROSTER_PATH_SIZE + 1];
	int saved_errno = errno;
	uint32_t pid = sys_getpid();

	if (!kma_options.roster[0])
		return;
	if (kma_roster_map(kma_options.roster, kma_address_limit(),
			   &roster.map)) {
		ssize_t size =
			readlink("/proc/self/exe", path, sizeof(path) - 1);
		path[size > 0 ? size : 0] = '\0';
		tell_range();
		if ((roster.map.header->flags & ROSTER_CHILDREN_NONE &&
		     roster.map.header->command_pid != pid) ||
		    on_skip_list(path))
			stop_auditing();
		roster.space = pid_space();
		struct roster_record *record =
			take_record(ROSTER_HELLO, pid, (uint32_t)getppid());
		if (record) {
			record->tier = kma_options.tier;
			kma_roster_name(record, path);
			set_state(record, ROSTER_WHOLE);
			roster.hello = record;
		}
	}
	errno = saved_errno;
}

/* In a copy that is no process of the program's. */
static void leave_roster(void)
{
	roster.map.header = NULL;
}

static void add_to_hello(enum roster_flags flag)
{
	__atomic_fetch_or(&roster.hello->flags, flag, __ATOMIC_RELAXED);
}

/* Asked when dlsym may be, long after the hello. */
__attribute__((constructor)) static void confess_what_is_foreign(void)
{
	/* With such a malloc, this may be what starts us. */
	if (!kma_init() || !roster.hello)
		return;
	if (!kma_malloc_is_ours(leave_roster))
		add_to_hello(ROSTER_FOREIGN_MALLOC);
	if (kma_arch_is_simulated())
		add_to_hello(ROSTER_SIMULATED);
}

void kma_roster_forked(uint32_t parent)
{
	if (!roster.map.header)
		return;
	if (roster.map.header->flags & ROSTER_CHILDREN_NONE)
		stop_auditing();
	uint32_t parent_space = roster.space;
	if (getppid() == 0)
		roster.space = pid_space();
	struct roster_record *record =
		take_record(ROSTER_FORK, sys_getpid(), parent);
	if (!record)
		return;
	record->parent_space = parent_space;
	if (kma_sandbox_forbids_end())
		record->flags |= ROSTER_FILTERED;
	set_state(record, ROSTER_WHOLE);
	roster.hello = record;
}

void kma_roster_filtered(void)
{
	if (roster.hello && !kma_roster_guest())
		__atomic_fetch_or(&roster.hello->flags, ROSTER_FILTERED,
				  __ATOMIC_RELAXED);
}

bool kma_roster_active(void)
{
	return roster.map.header != NULL;
}

bool kma_roster_guest(void)
{
	return sys_getpid() != kma_root.pid;
}

struct roster_record *kma_roster_exec(const char *path, bool handed_over)
{
	struct roster_record *record =
		take_record(ROSTER_EXEC, sys_getpid(), (uint32_t)getppid());

	if (!record)
		return NULL;
	if (handed_over)
		record->flags |= ROSTER_HANDED_OVER;
	if (kma_roster_guest()) {
		record->flags |= ROSTER_VFORKED;
		record->errors = 0;
	}
	kma_roster_name(record, path);
	set_state(record, ROSTER_WHOLE);
	return record;
}

struct roster_record *kma_roster_spawn(const char *path, bool handed_over)
{
	struct roster_record *record =
		take_record(ROSTER_SPAWN, 0, sys_getpid());

	if (!record)
		return NULL;
	if (handed_over)
		record->flags |= ROSTER_HANDED_OVER;
	kma_roster_name(record, path);
	set_state(record, ROSTER_PENDING);
	return record;
}

void kma_roster_spawned(struct roster_record *record, uint32_t pid)
{
	if (!record)
		return;
	record->pid = pid;
	/* After unshare(CLONE_NEWPID) children are in another namespace. */
	int saved_errno = errno;
	uint32_t space = space_of("/proc/self/ns/pid_for_children");
	uint32_t own = space && space != roster.space ? own_pid_of(pid) : 0;
	if (own) {
		record->pid = own;
		record->space = space;
	}
	errno = saved_errno;
	set_state(record, ROSTER_WHOLE);
}

/* Allocations less frees, over all caches; other threads may be at work. */
static uint64_t count_live_buffers(void)
{
	uint64_t live = 0;

	for (const struct kma_cache *c = kma_root.caches; c; c = c->next)
		live += c->alloc - c->free;
	for (const struct kma_thread *t = kma_root.threads; t; t = t->next) {
		uint32_t count =
			__atomic_load_n(&t->magset_count, __ATOMIC_RELAXED);
		/* Of a thread that ends meanwhile they stay readable. */
		const struct kma_magset *sets =
			__atomic_load_n(&t->magsets, __ATOMIC_RELAXED);

		for (uint32_t i = 0; sets && i < count; i++)
			live += sets[i].alloc - sets[i].free;
	}
	return live;
}

void kma_roster_bye(enum dump_reason reason, int status, const char *path,
		    int failure)
{
	if (!roster.map.header || kma_roster_guest())
		return;
	struct roster_record *record =
		take_record(ROSTER_BYE, kma_root.pid, (uint32_t)getppid());
	if (!record)
		return;
	const char *slash = path ? strrchr(path, '/') : NULL;
	kma_roster_name(record, slash ? slash + 1 : path);
	record->live_buffers = count_live_buffers();
	record->reason = reason;
	record->status = status;
	record->failure = (uint32_t)failure;
	set_state(record, ROSTER_WHOLE);
}

/* Shared with the supervisor: no private futex. */
static void futex_wait(const uint32_t *word, uint32_t value)
{
	const struct timespec limit = { 0, ROSTER_BEAT_MS * 1000000L };

	sys_call(SYS_futex, (long)(uintptr_t)word, FUTEX_WAIT, value,
		 (long)(uintptr_t)&limit, 0, 0);
}

static void ring(void)
{
	uint32_t *bell = &roster.map.header->bell;

	__atomic_fetch_add(bell, 1, __ATOMIC_RELEASE);
	sys_call(SYS_futex, (long)(uintptr_t)bell, FUTEX_WAKE, INT32_MAX, 0, 0,
		 0);
}

/* Until the supervisor has an order; a filter that forbids the futex makes this
 * a busy wait. */
static enum roster_reply wait_for_order(void)
{
	const struct roster_header *header = roster.map.header;
	const uint64_t patience = ROSTER_PATIENCE_MS * UINT64_C(1000000);
	uint64_t since = monotonic_now();
	uint32_t beat = __atomic_load_n(&header->beat, __ATOMIC_RELAXED);

	for (;;) {
		uint32_t reply =
			__atomic_load_n(&roster.shown->reply, __ATOMIC_ACQUIRE);
		uint32_t now = __atomic_load_n(&header->beat, __ATOMIC_RELAXED);

		if (reply == ROSTER_REPLY_STOP || reply == ROSTER_REPLY_DONE ||
		    reply == ROSTER_REPLY_DUMP)
			return (enum roster_reply)reply;
		if (now != beat) {
			beat = now;
			since = monotonic_now();
		}
		if (__atomic_load_n(&header->flags, __ATOMIC_RELAXED) &
			    ROSTER_CLOSED ||
		    monotonic_now() - since > patience)
			return ROSTER_REPLY_DONE;
		futex_wait(&roster.shown->reply, reply);
	}
}

bool kma_roster_in_place(void)
{
	return roster.map.header && !kma_roster_guest() &&
	       __atomic_load_n(&roster.map.header->flags, __ATOMIC_RELAXED) &
		       ROSTER_IN_PLACE;
}

enum roster_reply kma_roster_show(const struct roster_ending *ending,
				  const struct roster_statement *statement)
{
	struct roster_record *record =
		take_record(ROSTER_SHOW, kma_root.pid, (uint32_t)getppid());
	if (!record)
		return ROSTER_REPLY_DUMP;
	record->reason = ending->reason;
	record->status = ending->status;
	if (ending->replaced)
		record->flags |= ROSTER_REPLACED;
	record->statement = *statement;
	record->statement.token = (uintptr_t)&roster.token;
	roster.token = record->time;
	roster.shown = record;
	set_state(record, ROSTER_WHOLE);
	ring();
	return wait_for_order();
}

enum roster_reply kma_roster_stopped(const struct roster_statement *statement)
{
	uint64_t token = roster.shown->statement.token;

	roster.shown->statement = *statement;
	roster.shown->statement.token = token;
	__atomic_store_n(&roster.shown->reply, ROSTER_REPLY_STOPPED,
			 __ATOMIC_RELEASE);
	ring();
	return wait_for_order();
}

/* The records that this process still looks at are its own. */
void kma_roster_let_go(uint64_t address_limit)
{
	uint64_t hello =
		roster.hello ? ((uintptr_t)roster.hello - roster.map.origin) /
				       ROSTER_RECORD_SIZE
			     : 0;

	kma_roster_map_shrink(&roster.map, hello, address_limit);
	if (roster.map.header)
		tell_range();
}

bool kma_roster_range(uintptr_t *base, uintptr_t *end)
{
	*base = roster.map.base;
	*end = roster.map.stop;
	return roster.map.header != NULL;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every way a program can end leaves the dump it should, and changes nothing
 * of how it ends.
 *
 * Usage: test_dump_triggers libkma_malloc.so dump_victim
 */
#include "dumpfmt/reader.h"
#include "tests/test_util.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT = 30, SAID_MAX = 16 };

static const char *library, *victim;
static char folder[] = "/tmp/dump-triggers-XXXXXX";

/* What a victim said, and how it ended. */
struct run {
	int status;
	size_t count;
	struct {
		char name[32];
		uint64_t value;
	} said[SAID_MAX];
};

static uint64_t said(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->count; i++)
		if (!strcmp(run->said[i].name, name))
			return run->said[i].value;
	fail_msg("the victim did not say %s", name);
	return 0;
}

static void become_victim(const char *way, const char *dump, int output,
			  int input)
{
	char setting[600], own[300];

	snprintf(setting, sizeof(setting), "path=%s/%s", folder, dump);
	snprintf(own, sizeof(own), "%s/kma_dump.dump", folder);
	setenv("KMA_DUMP", setting, 1);
	setenv("KMA_DEBUG", "audit", 1);
	setenv("LD_PRELOAD", library, 1);
	setenv("VICTIM_DUMP", own, 1);
	dup2(output, 1);
	dup2(input, 0);
	if (!freopen("/dev/null", "w", stderr))
		_exit(91);
	alarm(TIMEOUT);
	execl(victim, victim, way, (char *)NULL);
	_exit(90);
}

/* Read what it says until it says no more, or has said stop. */
static void listen_to(FILE *stream, struct run *run, const char *stop)
{
	while (run->count < SAID_MAX &&
	       fscanf(stream, "%31s %" SCNu64, run->said[run->count].name,
		      &run->said[run->count].value) == 2)
		if (!strcmp(run->said[run->count++].name, stop))
			return;
}

static struct run run_victim(const char *way, const char *dump,
			     int request_signal)
{
	struct run run = { 0 };
	int output[2], input[2];

	assert_int_equal(pipe(output) | pipe(input), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(output[0]);
		close(input[1]);
		become_victim(way, dump, output[1], input[0]);
	}
	close(output[1]);
	close(input[0]);
	FILE *stream = fdopen(output[0], "r");
	listen_to(stream, &run, request_signal ? "ready" : "");
	if (request_signal) {
		char path[600];

		kill(pid, request_signal);
		snprintf(path, sizeof(path), "%s/%s", folder, "request.dump");
		for (int i = 0; i < 100 * TIMEOUT && access(path, F_OK); i++)
			usleep(10000);
	}
	close(input[1]);
	listen_to(stream, &run, "");
	fclose(stream);
	assert_int_equal(waitpid(pid, &run.status, 0), pid);
	return run;
}

static struct dump *open_dump(const char *name)
{
	const char *const *warnings;
	struct dump *dump;
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_ok(dump_open(path, &dump));
	if (dump_warnings(dump, &warnings) > 0)
		print_message("%s: %s\n", name, warnings[0]);
	return dump;
}

static bool dump_exists(const char *name)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static const struct dump_thread *thread_of(const struct dump *dump,
					   uint64_t tid)
{
	const struct dump_thread *threads;
	size_t count = dump_threads(dump, &threads);

	for (size_t i = 0; i < count; i++)
		if (threads[i].tid == tid)
			return &threads[i];
	fail_msg("thread %" PRIu64 " is not in the dump", tid);
	return NULL;
}

/*
 * Each thread has its registers, and the stack they point into is saved; one
 * that has overflowed points a little below it.
 */
static void assert_threads_whole(struct dump *dump, size_t count)
{
	enum { OVERFLOW = 64 << 10 };
	const struct dump_thread *threads;
	const void *bytes;

	assert_int_equal(dump_threads(dump, &threads), count);
	for (size_t i = 0; i < count; i++) {
		const struct dump_thread *t = &threads[i];
		uint64_t sp = t->registers.rsp & ~UINT64_C(7);

		assert_true(t->flags &
			    (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC));
		assert_true(t->registers.rip != 0);
		assert_int_equal(t->flags & DUMP_THREAD_NO_STACK, 0);
		if (sp < t->stack_low && t->stack_low - sp < OVERFLOW)
			sp = t->stack_low;
		assert_true(t->stack_low <= sp && sp < t->stack_high);
		assert_ok(dump_view(dump, sp, 8, &bytes));
	}
}

static void assert_killed(const struct run *run, int number)
{
	assert_true(WIFSIGNALED(run->status));
	assert_int_equal(WTERMSIG(run->status), number);
}

static void assert_exited(const struct run *run, int status)
{
	assert_true(WIFEXITED(run->status));
	assert_int_equal(WEXITSTATUS(run->status), status);
}

/* A crash in the way named, with what the dump must say of it. */
struct crash {
	const char *way;
	int number;
	size_t threads;
	bool has_pc, has_fault;
};

static void assert_crash_dumped(const struct crash *crash)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.dump", crash->way);
	struct run run = run_victim(crash->way, name, 0);
	assert_killed(&run, crash->number);

	struct dump *dump = open_dump(name);
	const struct dump_process *process = dump_process(dump);
	assert_int_equal(process->reason, DUMP_REASON_SIGNAL);
	assert_int_equal(process->signal, crash->number);
	assert_int_equal(process->pid, said(&run, "pid"));
	assert_int_equal(process->crashed_thread, said(&run, "tid"));
	if (crash->has_fault)
		assert_int_equal(process->fault_address, said(&run, "fault"));

	const struct dump_thread *thread = thread_of(dump, said(&run, "tid"));
	assert_true(thread->flags & DUMP_THREAD_CRASHED);
	assert_true(thread->fpregs_size >= 512);
	if (crash->has_pc)
		assert_int_equal(thread->registers.rip, said(&run, "pc"));
	assert_threads_whole(dump, crash->threads);
	dump_close(dump);
}

static void a_crash_leaves_a_dump(void **state)
{
	(void)state;
	static const struct crash crashes[] = {
		{ "segv", SIGSEGV, 3, true, true },
		{ "segv-thread", SIGSEGV, 4, true, true },
		{ "segv-busy", SIGSEGV, 3, true, true },
		{ "segv-in-handler", SIGSEGV, 3, true, true },
		{ "segv-handler-gives-up", SIGSEGV, 3, true, true },
		{ "segv-handler-once", SIGSEGV, 3, true, true },
		{ "bus", SIGBUS, 3, false, true },
		{ "abort", SIGABRT, 3, false, false },
		{ "overflow", SIGSEGV, 3, false, false },
		{ "overflow-thread", SIGSEGV, 4, false, false },
	};

	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		print_message("%s\n", crashes[i].way);
		assert_crash_dumped(&crashes[i]);
	}
}

static void a_thread_that_blocks_all_signals_is_described(void **state)
{
	(void)state;
	struct run run = run_victim("segv-silent", "silent.dump", 0);
	struct dump *dump = open_dump("silent.dump");
	const struct dump_thread *thread =
		thread_of(dump, said(&run, "silent"));
	const char *const *warnings;

	assert_killed(&run, SIGSEGV);
	assert_int_equal(thread->flags, DUMP_THREAD_SP_PC);
	assert_threads_whole(dump, 3);
	assert_int_equal(dump_warnings(dump, &warnings), 1);
	assert_string_equal(warnings[0],
			    "writer: 1 threads did not stop: registers "
			    "missing");
	dump_close(dump);
}

static void every_way_out_leaves_a_dump(void **state)
{
	(void)state;
	static const struct {
		const char *way;
		int status;
		size_t threads;
	} exits[] = {
		{ "return", 3, 3 },           { "_exit", 7, 3 },
		{ "quick_exit", 8, 3 },       { "exit-thread", 9, 4 },
		{ "segv-own-handler", 5, 3 }, { "dispositions", 0, 3 },
	};

	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		char name[64];

		print_message("%s\n", exits[i].way);
		snprintf(name, sizeof(name), "%s.dump", exits[i].way);
		struct run run = run_victim(exits[i].way, name, 0);
		assert_exited(&run, exits[i].status);
		struct dump *dump = open_dump(name);
		const struct dump_process *process = dump_process(dump);
		assert_int_equal(process->reason, DUMP_REASON_EXIT);
		assert_int_equal(process->exit_status, exits[i].status);
		assert_threads_whole(dump, exits[i].threads);
		dump_close(dump);
	}
}

static void the_dump_comes_after_the_last_destructor(void **state)
{
	(void)state;
	struct run run = run_victim("return", "last.dump", 0);
	struct dump *dump = open_dump("last.dump");
	const void *ended;

	assert_ok(dump_view(dump, said(&run, "ended"), sizeof(int), &ended));
	assert_int_equal(*(const int *)ended, 42);
	dump_close(dump);
}

static void a_forked_child_has_a_dump_of_its_own(void **state)
{
	(void)state;
	struct run run = run_victim("fork", "fork.%p.%e.dump", 0);
	char parent[64], child[64];

	assert_exited(&run, 0);
	snprintf(parent, sizeof(parent), "fork.%" PRIu64 ".dump_victim.dump",
		 said(&run, "pid"));
	snprintf(child, sizeof(child), "fork.%" PRIu64 ".dump_victim.dump",
		 said(&run, "child"));
	struct dump *dump = open_dump(child);
	assert_int_equal(dump_process(dump)->signal, SIGABRT);
	assert_int_equal(dump_process(dump)->pid, said(&run, "child"));
	assert_int_equal(dump_process(dump)->ppid, said(&run, "pid"));
	assert_threads_whole(dump, 1);
	dump_close(dump);
	dump = open_dump(parent);
	assert_int_equal(dump_process(dump)->reason, DUMP_REASON_EXIT);
	assert_threads_whole(dump, 3);
	dump_close(dump);
}

static void a_vforked_child_has_none(void **state)
{
	(void)state;
	struct run run = run_victim("vfork", "vfork.%p.dump", 0);
	char name[64];

	assert_exited(&run, 0);
	snprintf(name, sizeof(name), "vfork.%" PRIu64 ".dump",
		 said(&run, "child"));
	assert_false(dump_exists(name));
	snprintf(name, sizeof(name), "vfork.%" PRIu64 ".dump",
		 said(&run, "pid"));
	dump_close(open_dump(name));
}

static void kma_dump_leaves_the_program_running(void **state)
{
	(void)state;
	struct run run = run_victim("kma_dump", "after.dump", 0);
	struct dump *dump = open_dump("kma_dump.dump");

	assert_exited(&run, 0);
	assert_int_equal(dump_process(dump)->reason, DUMP_REASON_REQUEST);
	assert_int_equal(dump_process(dump)->pid, said(&run, "pid"));
	assert_threads_whole(dump, 3);
	dump_close(dump);
	dump_close(open_dump("after.dump"));
}

static void a_signal_asks_for_a_dump(void **state)
{
	(void)state;
	struct run run =
		run_victim("request", "request.dump,on=request:USR2", SIGUSR2);
	struct dump *dump = open_dump("request.dump");

	assert_exited(&run, 0);
	assert_int_equal(dump_process(dump)->reason, DUMP_REASON_REQUEST);
	assert_int_equal(dump_process(dump)->signal, SIGUSR2);
	assert_threads_whole(dump, 3);
	dump_close(dump);
}

static void a_misuse_leaves_one_dump(void **state)
{
	(void)state;
	struct run run = run_victim("double-free", "misuse.dump", 0);
	struct dump *dump = open_dump("misuse.dump");

	assert_killed(&run, SIGABRT);
	assert_int_equal(dump_process(dump)->reason, DUMP_REASON_ERROR);
	assert_int_equal(dump_process(dump)->crashed_thread, said(&run, "tid"));
	assert_threads_whole(dump, 3);
	dump_close(dump);
}

static void a_dump_that_cannot_be_written_changes_nothing(void **state)
{
	(void)state;
	struct run run = run_victim("segv", "no/such/folder", 0);

	assert_killed(&run, SIGSEGV);
	run = run_victim("_exit", "", 0); /* the path is a directory */
	assert_exited(&run, 7);
	run = run_victim("file-limit", "limit.dump", 0);
	assert_exited(&run, 7);
	assert_false(dump_exists("limit.dump"));
}

static void level_meta_keeps_no_register_but_two(void **state)
{
	(void)state;
	struct run run = run_victim("segv", "meta.dump,level=meta", 0);
	struct dump *dump = open_dump("meta.dump");
	const struct dump_thread *thread = thread_of(dump, said(&run, "tid"));
	const char *environment;

	assert_int_equal(thread->flags & DUMP_THREAD_REGISTERS, 0);
	assert_int_equal(thread->registers.rip, said(&run, "pc"));
	assert_int_equal(thread->registers.rax, 0);
	assert_int_equal(thread->registers.rbp, 0);
	assert_null(thread->fpregs);
	assert_int_equal(dump_environment(dump, &environment), 0);
	assert_string_equal(dump_process(dump)->arguments, "");
	dump_close(dump);
}

static void level_heap_keeps_what_threads_need(void **state)
{
	(void)state;
	struct run run = run_victim("segv-thread", "heap.dump,level=heap", 0);
	struct dump *dump = open_dump("heap.dump");

	assert_killed(&run, SIGSEGV);
	assert_int_equal(dump_process(dump)->level, DUMP_HEAP);
	assert_threads_whole(dump, 4);
	dump_close(dump);
}

/* No half-written file is left under any name; then remove the rest. */
static void nothing_half_written_is_left(void **state)
{
	(void)state;
	DIR *listing = opendir(folder);
	const struct dirent *entry;
	char path[600];

	assert_non_null(listing);
	while ((entry = readdir(listing))) {
		struct stat status;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		assert_null(strstr(entry->d_name, ".part"));
		assert_int_equal(stat(path, &status), 0);
		if (S_ISREG(status.st_mode)) {
			assert_int_equal(status.st_mode & 0777, 0600);
			unlink(path);
		}
	}
	closedir(listing);
	assert_int_equal(rmdir(folder), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_leaves_a_dump),
		cmocka_unit_test(a_thread_that_blocks_all_signals_is_described),
		cmocka_unit_test(every_way_out_leaves_a_dump),
		cmocka_unit_test(the_dump_comes_after_the_last_destructor),
		cmocka_unit_test(a_forked_child_has_a_dump_of_its_own),
		cmocka_unit_test(a_vforked_child_has_none),
		cmocka_unit_test(kma_dump_leaves_the_program_running),
		cmocka_unit_test(a_signal_asks_for_a_dump),
		cmocka_unit_test(a_misuse_leaves_one_dump),
		cmocka_unit_test(a_dump_that_cannot_be_written_changes_nothing),
		cmocka_unit_test(level_meta_keeps_no_register_but_two),
		cmocka_unit_test(level_heap_keeps_what_threads_need),
		cmocka_unit_test(nothing_half_written_is_left),
	};

	if (argc != 3 || !mkdtemp(folder))
		return 2;
	library = argv[1];
	victim = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::status ::threads ::stack ::regs ::mappings ::objects on a target that was
 * made up. Real stacks are in test_unwind.c and programs/crash.py. */
#include "kdbg/dcmds/dcmds.h"

#include "tests/test_util.h"
#include "tests/unit/fake_target.h"
#include "tests/unit/session_fixture.h"

#include <signal.h>
#include <string.h>

enum { STACK_BASE = 0x7000, STACK_SIZE = 0x100 };

static const struct dump_registers crashed = {
	.rax = 0x18, .rip = 0x401234, .rsp = STACK_BASE + 0x10, .rbp = 0x1
};
static const struct dump_registers waiting = { .rip = 0x500010, .rsp = 0x9000 };

static struct fake_target *make_fake(void)
{
	static const unsigned char stack[STACK_SIZE];
	struct fake_target *fake = fake_target_create();
	struct dump_process *process = fake_target_process(fake);

	*process = (struct dump_process){
		.pid = 7,
		.ppid = 1,
		.uid = 1000,
		.gid = 100,
		.reason = DUMP_REASON_SIGNAL,
		.signal = SIGSEGV,
		.signal_code = SEGV_MAPERR,
		.crashed_thread = 7,
		.fault_address = 0x18,
		.level = DUMP_HEAP,
		.start_realtime_ns = UINT64_C(86400000000000),
		.executable = "/nowhere/prog",
		.arguments = "prog -v",
		.directory = "/",
		.hostname = "host",
		.kernel = "Linux 1",
		.writer = "libkma 0",
		.exit_status = UINT32_MAX,
	};
	fake_target_memory(fake, STACK_BASE, stack, sizeof(stack));
	fake_target_thread(fake, 7, "main", &crashed);
	fake_target_thread(fake, 0x11, "worker", &waiting);
	fake_target_thread(fake, 12, "lost", NULL);
	fake_target_map(fake, 0x400000, 0x402000, DUMP_MAP_READ | DUMP_MAP_EXEC,
			"/nowhere/prog");
	fake_target_map(fake, STACK_BASE, STACK_BASE + 0x1000,
			DUMP_MAP_READ | DUMP_MAP_WRITE, "[stack]");
	fake_target_map(fake, 0x100000, 0x200000, 0, "");
	fake_target_module(fake, 0x400000, 0x402000, "/nowhere/prog",
			   "\xab\xcd", 2);
	return fake;
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture_init_on(&fixture, fake_target_finish(make_fake()), dcmd_table,
			walker_table);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_deinit(*state);
	return 0;
}

static void status_tells_what_happened(void **state)
{
	assert_prints(
		*state, "::status",
		"target       dump fake\n"
		"written by   libkma 0, level heap: the program's read-only "
		"data is left out\n"
		"program      /nowhere/prog\n"
		"arguments    prog -v\n"
		"directory    /\n"
		"process      7, child of 1, user 1000, group 100\n"
		"host         host, Linux 1\n"
		"started      1970-01-02 00:00:00 UTC\n"
		"reason       SIGSEGV (nothing is mapped there), thread 7 "
		"(main)\n"
		"fault        0x18: a null pointer, or near one\n"
		"at           prog+0x1234\n"
		"threads      3, registers are known of 2\n"
		"memory       0 KiB held of 12 KiB in 3 mappings\n"
		"allocator    fake: no libkma in this program\n"
		"warning      /nowhere/prog: No such file or directory\n");
}

static void threads_are_listed(void **state)
{
	assert_prints(*state, "::threads",
		      "     TID NAME             STATE      FUNCTION\n"
		      "       7 main             crashed    prog+0x1234\n"
		      "      17 worker           -          0x500010\n"
		      "      12 lost             unknown    -\n");
	assert_prints(*state, "::set wide=on; ::threads",
		      "     TID NAME             STATE      SP               "
		      "PC       "
		      "        FUNCTION\n"
		      "       7 main             crashed    0000000000007010 "
		      "0000000000401234 prog+0x1234\n"
		      "      17 worker           -          0000000000009000 "
		      "0000000000500010 0x500010\n"
		      "      12 lost             unknown    -                - "
		      "       "
		      "        -\n");
}

static void threads_are_walked(void **state)
{
	assert_prints(*state, "::walk thread",
		      "0000000000000007\n"
		      "0000000000000011\n"
		      "000000000000000c\n");
}

static void a_thread_is_named_in_either_radix(void **state)
{
	assert_non_null(strstr(fixture_run(*state, "11::threads"), "worker"));
	assert_non_null(strstr(fixture_run(*state, "17::threads"), "worker"));
	assert_complains(*state, "99::threads",
			 "kdbg: 99 was read as hexadecimal, decimal is 0t99: "
			 "::threads: there is no thread 153; "
			 "::threads lists them\n");
}

static void registers_that_are_not_there_are_not_zero(void **state)
{
	assert_complains(*state, "0t12::regs",
			 "kdbg: ::regs: the registers of thread 12 are not in "
			 "the dump\n");
	assert_complains(*state, "0t12::stack",
			 "kdbg: ::stack: the registers of thread 12 are not in "
			 "the dump\n");
}

static void a_stack_that_ends_early_says_so(void **state)
{
	assert_prints(*state, "::stack",
		      "prog+0x1234\n"
		      "prog: /nowhere/prog: No such file or directory\n"
		      "the stack ends early: nothing tells who called "
		      "0x401234\n");
}

static void mappings_tell_what_is_held(void **state)
{
	assert_prints(*state, "::mappings stack",
		      "BASE             LIMIT                  SIZE FLAGS    "
		      "   HELD NAME\n"
		      "0000000000007000 0000000000008000       4096 rw-p     "
		      "    256 [stack]\n");
	assert_prints(*state, "400010::mappings",
		      "BASE             LIMIT                  SIZE FLAGS    "
		      "   HELD NAME\n"
		      "0000000000400000 0000000000402000       8192 r-xp     "
		      "      0 /nowhere/prog\n");
	assert_complains(*state, "::mappings nothing",
			 "kdbg: ::mappings: no mapping has nothing in its "
			 "name\n");
	assert_complains(*state, "1::mappings",
			 "kdbg: ::mappings: 0x1: not mapped\n");
}

static void objects_tell_what_is_missing(void **state)
{
	assert_string_equal(
		fixture_json(*state, "::objects"),
		"{\"base\": \"0x400000\", \"limit\": \"0x402000\", "
		"\"size\": 8192, \"name\": \"/nowhere/prog\", "
		"\"build_id\": \"abcd\", \"symbols\": \"/nowhere/prog: No "
		"such file or directory\"}\n");
	assert_complains(*state, "1::objects",
			 "kdbg: ::objects: 0x1: in no module\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(status_tells_what_happened),
		TEST(threads_are_listed),
		TEST(threads_are_walked),
		TEST(a_thread_is_named_in_either_radix),
		TEST(registers_that_are_not_there_are_not_zero),
		TEST(a_stack_that_ends_early_says_so),
		TEST(mappings_tell_what_is_held),
		TEST(objects_tell_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

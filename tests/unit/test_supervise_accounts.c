/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/test_util.h"

#include "kdbg/supervise_accounts.h"

#include <string.h>

static struct roster_record make(enum roster_kind kind, uint32_t pid,
				 uint32_t ppid, const char *path)
{
	struct roster_record record = { .state = ROSTER_WHOLE,
					.kind = kind,
					.pid = pid,
					.ppid = ppid,
					.time = 1 };

	strncpy(record.path, path, sizeof(record.path) - 1);
	return record;
}

static void add(struct accounts *accounts, enum roster_kind kind, uint32_t pid,
		uint32_t ppid, const char *path)
{
	struct roster_record record = make(kind, pid, ppid, path);

	assert_ok(accounts_add(accounts, &record));
}

static struct accounts *start(void)
{
	struct accounts *accounts;

	assert_ok(accounts_create(&accounts));
	assert_ok(accounts_command(accounts, 10, "prog"));
	return accounts;
}

static const struct account *only(const struct accounts *accounts, size_t count,
				  size_t index)
{
	const struct account *list;

	assert_int_equal(accounts_list(accounts, &list), count);
	return &list[index];
}

static void add_in(struct accounts *accounts, uint32_t space,
		   enum roster_kind kind, const char *path)
{
	struct roster_record record = make(kind, 1, 0, path);

	record.space = record.parent_space = space;
	assert_ok(accounts_add(accounts, &record));
}

/* Each is process 1 of its own namespace, and they are not done in turn. */
static void equal_pids_of_two_namespaces_are_two_processes(void **state)
{
	(void)state;
	struct accounts *accounts = start();

	add_in(accounts, 70, ROSTER_FORK, "");
	add_in(accounts, 71, ROSTER_FORK, "");
	add_in(accounts, 70, ROSTER_EXEC, "/src/one");
	add_in(accounts, 71, ROSTER_EXEC, "/src/other");
	add_in(accounts, 70, ROSTER_HELLO, "/src/one");
	add_in(accounts, 71, ROSTER_HELLO, "/src/other");
	add_in(accounts, 70, ROSTER_BYE, "one.dump");
	add_in(accounts, 0, ROSTER_BYE, "one.dump"); /* not known: any */
	add_in(accounts, 71, ROSTER_BYE, "other.dump");
	const struct account *one = only(accounts, 5, 3);
	assert_true(one->hello && one->bye && !one->replaced);
	assert_string_equal(one->path, "/src/one");
	assert_string_equal(one->dump, "one.dump");
	const struct account *other = only(accounts, 5, 4);
	assert_true(other->hello && other->bye && !other->replaced);
	assert_string_equal(other->path, "/src/other");
	assert_string_equal(other->dump, "other.dump");
	accounts_destroy(accounts);
}

static void command_that_says_hello_and_bye(void **state)
{
	(void)state;
	struct accounts *accounts = start();

	add(accounts, ROSTER_HELLO, 10, 1, "/src/prog");
	add(accounts, ROSTER_BYE, 10, 1, "10.dump");
	const struct account *a = only(accounts, 1, 0);
	assert_true(a->command && a->hello && a->bye && !a->replaced);
	assert_string_equal(a->path, "/src/prog");
	assert_string_equal(a->dump, "10.dump");
	accounts_destroy(accounts);
}

static void static_command_never_says_hello(void **state)
{
	(void)state;
	struct accounts *accounts = start();
	const struct account *a = only(accounts, 1, 0);

	assert_true(a->announced && !a->hello && !a->bye);
	accounts_destroy(accounts);
}

static void forked_child_is_its_parents_program(void **state)
{
	(void)state;
	struct accounts *accounts = start();

	add(accounts, ROSTER_HELLO, 10, 1, "/src/prog");
	add(accounts, ROSTER_FORK, 11, 10, "");
	add(accounts, ROSTER_BYE, 11, 10, "11.dump");
	add(accounts, ROSTER_BYE, 10, 1, "10.dump");
	const struct account *a = only(accounts, 2, 1);
	assert_true(a->forked && a->hello && a->bye && !a->command);
	assert_string_equal(a->path, "/src/prog");
	assert_int_equal(a->origin, 0);
	accounts_destroy(accounts);
}

static void exec_ends_one_image_and_begins_another(void **state)
{
	(void)state;
	struct accounts *accounts = start();

	add(accounts, ROSTER_HELLO, 10, 1, "/src/prog");
	add(accounts, ROSTER_FORK, 11, 10, "");
	add(accounts, ROSTER_EXEC, 11, 10, "/src/static");
	const struct account *list;
	assert_int_equal(accounts_list(accounts, &list), 3);
	assert_true(list[1].replaced && !list[1].unseen_exec);
	assert_true(list[2].announced && !list[2].hello);
	add(accounts, ROSTER_HELLO, 11, 10, "/src/other");
	assert_int_equal(accounts_list(accounts, &list), 3);
	assert_true(list[2].hello);
	assert_string_equal(list[2].path, "/src/other");
	accounts_destroy(accounts);
}

/* The child has the pid of nobody yet; its parent goes on unharmed. */
static void vforked_child_is_not_its_parent(void **state)
{
	(void)state;
	struct accounts *accounts = start();
	struct roster_record exec = make(ROSTER_EXEC, 11, 10, "/src/other");

	add(accounts, ROSTER_HELLO, 10, 1, "/src/prog");
	exec.flags = ROSTER_VFORKED;
	assert_ok(accounts_add(accounts, &exec));
	add(accounts, ROSTER_BYE, 10, 1, "10.dump");
	const struct account *list;
	assert_int_equal(accounts_list(accounts, &list), 2);
	assert_true(list[0].bye && !list[0].replaced);
	assert_true(list[1].announced && !list[1].hello);
	assert_int_equal(list[1].origin, ACCOUNT_NONE);
	accounts_destroy(accounts);
}

static void failed_exec_and_spawn_leave_no_trace(void **state)
{
	(void)state;
	struct accounts *accounts = start();
	struct roster_record record = make(ROSTER_EXEC, 10, 1, "/nowhere");

	add(accounts, ROSTER_HELLO, 10, 1, "/src/prog");
	record.state = ROSTER_CANCELLED;
	assert_ok(accounts_add(accounts, &record));
	record.kind = ROSTER_SPAWN;
	assert_ok(accounts_add(accounts, &record));
	assert_false(only(accounts, 1, 0)->replaced);
	accounts_destroy(accounts);
}

/* Its parent was killed before it could tell the child's pid. */
static void pending_spawn_is_an_account_without_hello(void **state)
{
	(void)state;
	struct accounts *accounts = start();
	struct roster_record record = make(ROSTER_SPAWN, 0, 10, "/src/other");

	record.state = ROSTER_PENDING;
	assert_ok(accounts_add(accounts, &record));
	const struct account *a = only(accounts, 2, 1);
	assert_true(a->announced && !a->hello);
	accounts_destroy(accounts);
}

static void hello_of_a_stranger_is_an_account(void **state)
{
	(void)state;
	struct accounts *accounts = start();

	add(accounts, ROSTER_HELLO, 10, 1, "/src/prog");
	add(accounts, ROSTER_HELLO, 12, 10, "/usr/bin/dash");
	const struct account *a = only(accounts, 2, 1);
	assert_true(a->hello && !a->announced);
	assert_true(account_is_system(accounts, a));
	accounts_destroy(accounts);
}

static void second_hello_without_exec_is_an_unseen_one(void **state)
{
	(void)state;
	struct accounts *accounts = start();

	add(accounts, ROSTER_HELLO, 10, 1, "/src/prog");
	add(accounts, ROSTER_HELLO, 10, 1, "/src/next");
	const struct account *list;
	assert_int_equal(accounts_list(accounts, &list), 2);
	assert_true(list[0].replaced && list[0].unseen_exec);
	assert_true(list[1].command);
	accounts_destroy(accounts);
}

static void pid_used_again_is_a_new_life(void **state)
{
	(void)state;
	struct accounts *accounts = start();

	add(accounts, ROSTER_HELLO, 10, 1, "/src/prog");
	add(accounts, ROSTER_FORK, 11, 10, "");
	add(accounts, ROSTER_BYE, 11, 10, "first.dump");
	add(accounts, ROSTER_FORK, 11, 10, "");
	const struct account *list;
	assert_int_equal(accounts_list(accounts, &list), 3);
	assert_true(list[1].bye && !list[1].replaced);
	assert_false(list[2].bye);
	accounts_destroy(accounts);
}

static void system_programs_are_told_apart(void **state)
{
	(void)state;
	struct accounts *accounts;
	const struct account *list;

	assert_ok(accounts_create(&accounts));
	assert_ok(accounts_command(accounts, 10, "/usr/bin/bash"));
	add(accounts, ROSTER_HELLO, 10, 1, "/usr/bin/bash");
	add(accounts, ROSTER_FORK, 11, 10, "");
	add(accounts, ROSTER_FORK, 12, 11, "");
	add(accounts, ROSTER_EXEC, 12, 11, "/usr/bin/ls");
	add(accounts, ROSTER_FORK, 13, 12, "");
	add(accounts, ROSTER_EXEC, 11, 10, "/usrlocal/ls");
	assert_int_equal(accounts_list(accounts, &list), 6);
	assert_false(account_is_system(accounts, &list[0]));
	assert_false(account_is_system(accounts, &list[1]));
	assert_false(account_is_system(accounts, &list[2]));
	assert_true(account_is_system(accounts, &list[3]));
	assert_true(account_is_system(accounts, &list[4]));
	assert_false(account_is_system(accounts, &list[5]));
	accounts_destroy(accounts);
}

static void many_processes_are_found_again(void **state)
{
	(void)state;
	struct accounts *accounts = start();
	const struct account *list;
	enum { MANY = 5000 };

	for (uint32_t pid = 100; pid < 100 + MANY; pid++)
		add(accounts, ROSTER_FORK, pid, 10, "");
	for (uint32_t pid = 100; pid < 100 + MANY; pid++)
		add(accounts, ROSTER_BYE, pid, 10, "d");
	assert_int_equal(accounts_list(accounts, &list), MANY + 1);
	for (size_t i = 1; i <= MANY; i++)
		assert_true(list[i].bye);
	accounts_destroy(accounts);
}

/* What a hostile program can write into the roster. */
static void nonsense_is_counted_or_harmless(void **state)
{
	(void)state;
	struct accounts *accounts = start();
	struct roster_record record;

	memset(&record, 0xff, sizeof(record));
	assert_ok(accounts_add(accounts, &record));
	record.state = ROSTER_EMPTY;
	assert_ok(accounts_add(accounts, &record));
	record.state = ROSTER_WHOLE;
	assert_ok(accounts_add(accounts, &record));
	assert_int_equal(accounts_lost(accounts), 3);
	for (uint32_t kind = 1; kind < ROSTER_KIND_COUNT; kind++) {
		record.kind = kind;
		assert_ok(accounts_add(accounts, &record));
		record.ppid = record.pid;
		assert_ok(accounts_add(accounts, &record));
	}
	const struct account *list;
	size_t count = accounts_list(accounts, &list);
	for (size_t i = 0; i < count; i++)
		account_is_system(accounts, &list[i]);
	accounts_destroy(accounts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_that_says_hello_and_bye),
		cmocka_unit_test(
			equal_pids_of_two_namespaces_are_two_processes),
		cmocka_unit_test(static_command_never_says_hello),
		cmocka_unit_test(forked_child_is_its_parents_program),
		cmocka_unit_test(exec_ends_one_image_and_begins_another),
		cmocka_unit_test(vforked_child_is_not_its_parent),
		cmocka_unit_test(failed_exec_and_spawn_leave_no_trace),
		cmocka_unit_test(pending_spawn_is_an_account_without_hello),
		cmocka_unit_test(hello_of_a_stranger_is_an_account),
		cmocka_unit_test(second_hello_without_exec_is_an_unseen_one),
		cmocka_unit_test(pid_used_again_is_a_new_life),
		cmocka_unit_test(system_programs_are_told_apart),
		cmocka_unit_test(many_processes_are_found_again),
		cmocka_unit_test(nonsense_is_counted_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

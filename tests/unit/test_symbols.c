/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/symbols.h"

#include "tests/test_util.h"
#include "tests/unit/fake_target.h"
#include "tests/unit/self_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* symbols_cpp.cc */
extern int
symbols_cpp_function(int a,
		     const char *b) __asm__("_Z20symbols_cpp_functioniPKc");
extern const unsigned symbols_cpp_line;

/* Something to look up, of each kind. */
int test_symbols_data[4] = { 1, 2, 3, 4 };
static int local_data[8];
__attribute__((noinline)) int test_symbols_code(int x);
int test_symbols_code(int x)
{
	return x + local_data[0];
}
static const unsigned code_line = __LINE__ - 2; /* of its return */

static __attribute__((noinline)) int local_code(int x)
{
	return x * test_symbols_data[1];
}

struct fixture {
	struct target *target;
	struct symbols *symbols;
};

static int open_self(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->target = self_target_create(NULL);
	assert_ok(symbols_create(fixture->target, &fixture->symbols));
	*state = fixture;
	return local_code(0) * test_symbols_code(0);
}

static int close_self(void **state)
{
	struct fixture *fixture = *state;

	symbols_destroy(fixture->symbols);
	target_close(fixture->target);
	free(fixture);
	return 0;
}

static uint64_t address_of(const void *p)
{
	return (uintptr_t)p;
}

static void assert_named(struct fixture *fixture, uint64_t address,
			 const char *module, const char *name, uint64_t offset)
{
	struct symbol symbol;

	assert_true(symbols_at(fixture->symbols, address, &symbol));
	assert_string_equal(symbol.module, module);
	assert_string_equal(symbol.name, name);
	assert_int_equal(symbol.offset, offset);
}

static void the_program_and_its_libraries_have_names(void **state)
{
	struct fixture *f = *state;

	assert_named(f, address_of((void *)&test_symbols_code) + 1,
		     "test_symbols", "test_symbols_code", 1);
	assert_named(f, address_of((void *)&local_code), "test_symbols",
		     "local_code", 0);
	assert_named(f, address_of(&test_symbols_data[3]), "test_symbols",
		     "test_symbols_data", 12);
	assert_named(f, address_of(&local_data[7]), "test_symbols",
		     "local_data", 28);
	assert_named(f, address_of((void *)&getpid), "libc.so.6", "getpid", 0);
}

static void names_have_addresses(void **state)
{
	struct fixture *f = *state;
	struct symbol symbol;
	uint64_t address;

	assert_ok(symbols_find(f->symbols, "test_symbols_code", &symbol,
			       &address));
	assert_int_equal(address, address_of((void *)&test_symbols_code));
	assert_ok(symbols_find(f->symbols, "local_data", &symbol, &address));
	assert_int_equal(address, address_of(local_data));
	assert_true(symbol.size >= sizeof(local_data)); /* ASan: a redzone */
	assert_ok(symbols_find(f->symbols, "a.out`test_symbols.c`local_data",
			       &symbol, &address));
	assert_int_equal(address, address_of(local_data));
	assert_ok(symbols_find(f->symbols, "libc`getpid", &symbol, &address));
	assert_int_equal(address, address_of((void *)&getpid));
	assert_err(symbols_find(f->symbols, "libc`nothing", &symbol, &address),
		   ERR_NOT_FOUND, "libc: no symbol nothing");
	assert_err(
		symbols_find(f->symbols, "nothing`getpid", &symbol, &address),
		ERR_NOT_FOUND,
		"no module is called nothing; ::objects lists them");
	assert_err(symbols_find(f->symbols, "a.out`other.c`local_data", &symbol,
				&address),
		   ERR_NOT_FOUND, "a.out: no symbol local_data");
}

static void cpp_names_are_read_and_written(void **state)
{
	struct fixture *f = *state;
	uint64_t code = address_of((void *)&symbols_cpp_function);
	struct symbol symbol;
	uint64_t address;

	assert_named(f, code, "test_symbols",
		     "symbols_cpp_function(int, char const*)", 0);
	assert_ok(symbols_find(f->symbols, "shapes::Shape::area", &symbol,
			       &address));
	assert_string_equal(symbol.linkage, "_ZNK6shapes5Shape4areaEv");
	assert_string_equal(symbol.name, "shapes::Shape::area() const");
	assert_ok(symbols_find(f->symbols, symbol.linkage, &symbol, &address));
}

static void code_has_a_file_and_a_line(void **state)
{
	struct fixture *f = *state;
	struct symbol_frame frames[4];
	size_t count = symbols_frames(
		f->symbols, address_of((void *)&test_symbols_code), frames, 4);

	assert_int_equal(count, 1);
	assert_string_equal(frames[0].function, "test_symbols_code");
	assert_non_null(strstr(frames[0].file, "unit/test_symbols.c"));
	assert_in_range(frames[0].line, code_line - 2, code_line);
	assert_false(frames[0].inlined);
}

/* gcc's DWARF has "body" alone of it. */
static void what_no_other_file_sees_has_its_whole_name(void **state)
{
	static const char name[] = "_ZN12_GLOBAL__N_16Hidden4bodyEi";
	struct fixture *f = *state;
	struct symbol_frame frames[4];
	struct symbol symbol;
	uint64_t address;

	assert_ok(symbols_find(f->symbols, name, &symbol, &address));
	assert_int_equal(symbols_frames(f->symbols, address, frames, 4), 1);
	assert_string_equal(frames[0].function,
			    "(anonymous namespace)::Hidden::body(int)");
	assert_string_equal(frames[0].linkage, name);
	assert_non_null(strstr(frames[0].file, "unit/symbols_cpp.cc"));
}

static void inlined_calls_are_frames(void **state)
{
	struct fixture *f = *state;
	struct symbol_frame frames[4] = { { 0 } };
	struct symbol symbol;
	uint64_t address;
	size_t count = 0;

	assert_ok(symbols_find(f->symbols, "symbols_cpp_inliner(int)", &symbol,
			       &address));
	for (uint64_t pc = address; pc < address + symbol.size && count < 2;
	     pc++)
		count = symbols_frames(f->symbols, pc, frames, 4);
	assert_int_equal(count, 2);
	assert_non_null(strstr(frames[0].function, "inner"));
	assert_true(frames[0].inlined);
	assert_string_equal(frames[1].function, "symbols_cpp_inliner(int)");
	assert_int_equal(frames[1].line, symbols_cpp_line);
	assert_false(frames[1].inlined);
}

static void the_vdso_is_read_from_memory(void **state)
{
	struct fixture *f = *state;
	struct symbol symbol;
	uint64_t address;

	if (!getauxval(AT_SYSINFO_EHDR))
		skip();
	assert_ok(symbols_find(f->symbols, "__vdso_clock_gettime", &symbol,
			       &address));
	assert_string_equal(symbol.module, "linux-vdso.so.1");
}

static void text_comes_from_the_file(void **state)
{
	struct fixture *f = *state;
	const void *code = (void *)&test_symbols_code;
	unsigned char bytes[8];

	assert_null(target_extent_at(f->target, address_of(code)));
	assert_ok(target_read(f->target, address_of(code), bytes, 8));
	assert_memory_equal(bytes, code, 8);
}

static void addresses_are_formatted(void **state)
{
	struct fixture *f = *state;
	char text[128], expected[128];
	uint64_t code = address_of((void *)&test_symbols_code);
	struct symbol_frame frame;

	symbols_format(f->symbols, code, text, sizeof(text));
	assert_string_equal(text, "test_symbols`test_symbols_code");
	symbols_format(f->symbols, 0x10, text, sizeof(text));
	assert_string_equal(text, "0x10");
	symbols_format_return(f->symbols, code + 1, text, sizeof(text));
	assert_int_equal(symbols_frames(f->symbols, code, &frame, 1), 1);
	snprintf(expected, sizeof(expected),
		 "test_symbols_code+0x1 (test_symbols.c:%u)", frame.line);
	assert_string_equal(text, expected);
	symbols_format(f->symbols, code, text, 8);
	assert_string_equal(text, "test_sy");
}

static void a_file_of_another_build_is_not_used(void **state)
{
	struct fixture *f = *state;
	struct dump_module module = f->target->modules[0];
	static const uint8_t other[4] = { 0xab, 0xcd, 0xef, 1 };
	struct fake_target *fake = fake_target_create();
	struct symbols *symbols;
	struct symbol symbol;
	unsigned char byte;
	char expected[1024], text[1024];

	fake_target_module(fake, 0x10000, 0x20000, module.path, other,
			   sizeof(other));
	struct target *target = fake_target_finish(fake);
	assert_ok(symbols_create(target, &symbols));
	assert_false(symbols_at(symbols, 0x11000, &symbol));
	assert_string_equal(symbol.module, "test_symbols");
	assert_int_equal(symbol.module_offset, 0x1000);
	snprintf(expected, sizeof(expected),
		 "%s: is another file than the one that was mapped (build id ",
		 module.path);
	const char *status = symbols_module_status(symbols, target->modules);
	assert_memory_equal(status, expected, strlen(expected));
	assert_non_null(strstr(status, "wanted abcdef01)"));
	assert_int_equal(target->warning_count, 1);
	assert_string_equal(target->warnings[0], status);
	snprintf(expected, sizeof(expected), "0x11000: not in the dump: %s",
		 status);
	struct err *err = target_read(target, 0x11000, &byte, 1);
	err_describe(err, text, sizeof(text));
	err_free(err);
	assert_string_equal(text, expected);
	symbols_destroy(symbols);
	target_close(target);
}

static void a_closed_library_is_named_by_the_time(void **state)
{
	struct fixture *f = *state;
	struct dump_module first = f->target->modules[0], second = first;
	struct symbols *symbols;
	struct symbol symbol;
	struct target *target = fake_target_finish(fake_target_create());
	uint64_t offset = address_of((void *)&test_symbols_code) - first.base;

	first.end = 0x500000 + (first.end - first.base);
	first.base = 0x500000;
	second.base = 0x500000;
	second.end = first.end;
	second.path = "/nowhere/libsecond.so";
	second.build_id = (const uint8_t *)"second";
	second.build_id_size = 6;
	assert_ok(symbols_create(target, &symbols));
	assert_ok(symbols_add_module(symbols, &first, 10, 20));
	assert_ok(symbols_add_module(symbols, &second, 30, 40));
	assert_true(symbols_at_then(symbols, 0x500000 + offset, 15, &symbol));
	assert_string_equal(symbol.name, "test_symbols_code");
	assert_false(symbols_at_then(symbols, 0x500000 + offset, 30, &symbol));
	assert_string_equal(symbol.module, "libsecond.so");
	symbols_destroy(symbols);
	target_close(target);
}

static const char *module_then(struct symbols *symbols, uint64_t address,
			       uint64_t ticks)
{
	struct symbol symbol;

	symbols_at_then(symbols, address, ticks, &symbol);
	return symbol.module;
}

/* Each is entered when its first stack is taken, just after the stack's time:
 * what nothing was there for belongs to the next. */
static void libraries_that_take_turns_are_named_by_the_time(void **state)
{
	const char *const path[] = { "/none/liba.so", "/none/libb.so" };
	const uint8_t id[] = { 'a', 'b' };
	struct target *target = fake_target_finish(fake_target_create());
	struct symbols *symbols;

	(void)state;
	assert_ok(symbols_create(target, &symbols));
	for (unsigned i = 6; i-- > 0;) { /* the registry has the last first */
		struct dump_module module = { .base = 0x500000,
					      .end = 0x510000,
					      .path = path[i % 2],
					      .build_id = &id[i % 2],
					      .build_id_size = 1 };

		assert_ok(symbols_add_module(symbols, &module, 100 * i + 10,
					     100 * i + 90));
	}
	for (unsigned i = 0; i < 6; i++)
		for (unsigned at = 9; at < 90; at += 40)
			assert_string_equal(
				module_then(symbols, 0x500123, 100 * i + at),
				path[i % 2] + strlen("/none/"));
	assert_string_equal(module_then(symbols, 0x500123, 9999), "libb.so");
	symbols_destroy(symbols);
	target_close(target);
}

/* One that is there now was not always, as far as it is known since when. */
static void a_library_in_the_place_of_another_has_its_own_stacks(void **state)
{
	struct fake_target *fake = fake_target_create();
	struct dump_module past = { .base = 0x10000,
				    .end = 0x20000,
				    .path = "/none/libpast.so",
				    .build_id = (const uint8_t *)"p",
				    .build_id_size = 1 };
	struct symbols *symbols;

	(void)state;
	fake_target_module(fake, 0x10000, 0x20000, "/none/libnow.so",
			   (const uint8_t *)"n", 1);
	struct target *target = fake_target_finish(fake);
	assert_ok(symbols_create(target, &symbols));
	assert_ok(symbols_add_module(symbols, &past, 30, 40));
	assert_string_equal(module_then(symbols, 0x10010, 29), "libpast.so");
	assert_string_equal(module_then(symbols, 0x10010, 39), "libpast.so");
	assert_string_equal(module_then(symbols, 0x10010, 40), "libnow.so");
	assert_ok(symbols_add_module(symbols, &target->modules[0], 50, 0));
	assert_string_equal(module_then(symbols, 0x10010, 29), "libpast.so");
	assert_string_equal(module_then(symbols, 0x10010, 49), "libnow.so");
	assert_string_equal(module_then(symbols, 0x10010, 50), "libnow.so");
	assert_ok(symbols_add_module(symbols, &past, 60, 70));
	assert_string_equal(module_then(symbols, 0x10010, 55), "libnow.so");
	assert_string_equal(module_then(symbols, 0x10010, 65), "libpast.so");
	assert_string_equal(module_then(symbols, 0x10010, 75), "libnow.so");
	symbols_destroy(symbols);
	target_close(target);
}

/* The symbol that a module at 0x10000 gets from where the options lead. */
static void assert_found(const struct dump_module *self, const char *path,
			 const char *executable, const char *sysroot,
			 bool expected)
{
	uint64_t size = self->end - self->base;
	uint64_t offset = address_of((void *)&test_symbols_code) - self->base;
	struct fake_target *fake = fake_target_create();
	struct symbols *symbols;
	struct symbol symbol;

	fake_target_module(fake, 0x10000, 0x10000 + size, path, self->build_id,
			   self->build_id_size);
	fake_target_options(fake, executable, sysroot);
	struct target *target = fake_target_finish(fake);
	assert_ok(symbols_create(target, &symbols));
	assert_int_equal(symbols_at(symbols, 0x10000 + offset, &symbol),
			 expected);
	if (expected)
		assert_string_equal(symbol.name, "test_symbols_code");
	symbols_destroy(symbols);
	target_close(target);
}

static void a_moved_file_is_found_where_the_options_say(void **state)
{
	struct fixture *f = *state;
	const struct dump_module *self = f->target->modules;
	char deleted[1024];

	snprintf(deleted, sizeof(deleted), "%s (deleted)", self->path);
	assert_found(self, "/gone", NULL, NULL, false);
	assert_found(self, "/gone", self->path, NULL, true);
	assert_found(self, "/gone", "/bin/true", NULL, false);
	assert_found(self, self->path, NULL, "/proc/self/root", true);
	assert_found(self, "/exe", NULL, "/proc/self", false); /* leads out */
	assert_found(self, self->path, NULL, "/nowhere", false);
	assert_found(self, deleted, NULL, NULL, true);
}

static void hostile_paths_are_refused(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"/dev/zero", "/tmp", "/proc/self/mem", "", "..", "/dev/tty",
	};
	struct fake_target *fake = fake_target_create();
	struct symbols *symbols;
	struct symbol symbol;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		fake_target_module(fake, 0x10000 * (i + 1), 0x10000 * (i + 2),
				   paths[i], "abcd", 4);
	struct target *target = fake_target_finish(fake);
	assert_ok(symbols_create(target, &symbols));
	for (size_t i = 0; i < target->module_count; i++) {
		assert_false(
			symbols_at(symbols, target->modules[i].base, &symbol));
		assert_non_null(
			symbols_module_status(symbols, &target->modules[i]));
	}
	symbols_destroy(symbols);
	target_close(target);
}

static void count_name(void *context, const char *name)
{
	assert_memory_equal(name, "test_symbols_", 13);
	++*(int *)context;
}

static void names_complete(void **state)
{
	struct fixture *f = *state;
	int count = 0;

	symbols_complete(f->symbols, "test_symbols_", count_name, &count);
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_program_and_its_libraries_have_names),
		cmocka_unit_test(names_have_addresses),
		cmocka_unit_test(cpp_names_are_read_and_written),
		cmocka_unit_test(code_has_a_file_and_a_line),
		cmocka_unit_test(what_no_other_file_sees_has_its_whole_name),
		cmocka_unit_test(inlined_calls_are_frames),
		cmocka_unit_test(the_vdso_is_read_from_memory),
		cmocka_unit_test(text_comes_from_the_file),
		cmocka_unit_test(addresses_are_formatted),
		cmocka_unit_test(a_file_of_another_build_is_not_used),
		cmocka_unit_test(a_closed_library_is_named_by_the_time),
		cmocka_unit_test(
			libraries_that_take_turns_are_named_by_the_time),
		cmocka_unit_test(
			a_library_in_the_place_of_another_has_its_own_stacks),
		cmocka_unit_test(a_moved_file_is_found_where_the_options_say),
		cmocka_unit_test(hostile_paths_are_refused),
		cmocka_unit_test(names_complete),
	};

	return cmocka_run_group_tests(tests, open_self, close_self);
}

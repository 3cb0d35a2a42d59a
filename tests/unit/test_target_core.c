/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cores that the tests make: whole, cut anywhere, and damaged anywhere. */
#include "kdbg/target.h"

#include "dumpfmt/layout.h"
#include "tests/test_util.h"

#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	HEADERS = 4,
	STACK = 0x7fff0000,
	TEXT = 0x400000,
	DATA = 0x402000,
	PAGE = 4096,
	ENTRY_OFFSET = 0x80,
};

/* A file without a disk: it is written thousands of times. */
static int memory_file;
static char path[64];

/* The bytes of a core, growing. */
struct image {
	unsigned char bytes[8 * PAGE];
	size_t size;
};

static size_t append(struct image *image, const void *bytes, size_t size)
{
	size_t at = image->size;

	assert_true(size <= sizeof(image->bytes) - at);
	memcpy(image->bytes + at, bytes, size);
	image->size = (at + size + 3) & ~(size_t)3;
	return at;
}

static void append_note(struct image *image, uint32_t type, const void *bytes,
			size_t size)
{
	const Elf64_Nhdr header = { 5, (Elf64_Word)size, type };

	append(image, &header, sizeof(header));
	append(image, "CORE", 5);
	append(image, bytes, size);
}

static void append_thread(struct image *image, uint32_t tid, uint64_t pc)
{
	unsigned char status[336] = { 0 };
	const struct dump_registers registers = { .rip = pc,
						  .rsp = STACK + 0x10 };

	status[12] = SIGSEGV;
	memcpy(status + 32, &tid, sizeof(tid));
	memcpy(status + 112, &registers, sizeof(registers));
	append_note(image, NT_PRSTATUS, status, sizeof(status));
}

static void append_notes(struct image *image)
{
	unsigned char info[136] = { 0 }, signal_info[128] = { 0 };
	const uint64_t auxv[] = { AT_ENTRY, TEXT + ENTRY_OFFSET, AT_NULL, 0 };
	struct {
		uint64_t count, page, entries[6];
		char names[16];
	} files = { 2,
		    PAGE,
		    { TEXT, TEXT + PAGE, 0, DATA, DATA + PAGE, 1 },
		    "/bin/x\0/bin/x" };

	memcpy(info + 24, &(uint32_t){ 42 }, 4);
	memcpy(info + 28, &(uint32_t){ 1 }, 4);
	strcpy((char *)info + 40, "x");
	strcpy((char *)info + 56, "x -v");
	signal_info[0] = SIGSEGV;
	signal_info[8] = SEGV_MAPERR;
	signal_info[16] = 0x18;
	append_thread(image, 43, TEXT + 0x10);
	append_note(image, NT_PRPSINFO, info, sizeof(info));
	append_note(image, NT_SIGINFO, signal_info, sizeof(signal_info));
	append_note(image, NT_AUXV, auxv, sizeof(auxv));
	append_note(image, NT_FILE, &files, sizeof(files));
	append_thread(image, 42, TEXT + 0x20);
}

static void append_memory(struct image *image, Elf64_Phdr *header,
			  uint64_t address, unsigned flags, const void *bytes,
			  size_t size)
{
	image->size = (image->size + 15) & ~(size_t)15;
	*header = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = flags,
		.p_vaddr = address,
		.p_offset = append(image, bytes, size),
		.p_filesz = size,
		.p_memsz = PAGE,
	};
}

static const Elf64_Ehdr core_header = {
	.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
	.e_type = ET_CORE,
	.e_machine = EM_X86_64,
	.e_version = 1,
	.e_phoff = sizeof(core_header),
	.e_ehsize = sizeof(core_header),
	.e_phentsize = sizeof(Elf64_Phdr),
	.e_phnum = HEADERS,
};

/* A program with a build id, its data with a kma_root, a stack. */
static void make_core(struct image *image)
{
	Elf64_Ehdr elf = core_header;
	Elf64_Phdr headers[HEADERS] = { { 0 } };
	struct {
		Elf64_Ehdr elf;
		Elf64_Phdr headers[2];
		Elf64_Nhdr note;
		char name[4], id[4];
	} text = { .elf = elf,
		   .note = { 4, 4, NT_GNU_BUILD_ID },
		   .name = "GNU",
		   .id = "wxyz" };
	const struct kma_root_head root = {
		.magic = { KMA_ROOT_MAGIC0, KMA_ROOT_MAGIC1 }, .self = DATA
	};

	text.elf.e_phnum = 2;
	text.headers[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_memsz = 0x2800 };
	text.headers[1] =
		(Elf64_Phdr){ .p_type = PT_NOTE,
			      .p_vaddr = sizeof(elf) + sizeof(headers) / 2,
			      .p_memsz = 20 };
	image->size = sizeof(elf) + sizeof(headers);
	headers[0].p_type = PT_NOTE;
	headers[0].p_offset = image->size;
	append_notes(image);
	headers[0].p_filesz = image->size - headers[0].p_offset;
	append_memory(image, &headers[1], TEXT, PF_R | PF_X, &text,
		      sizeof(text));
	append_memory(image, &headers[2], DATA, PF_R | PF_W, &root,
		      sizeof(root));
	append_memory(image, &headers[3], STACK, PF_R | PF_W, "abcdefgh", 8);
	memcpy(image->bytes, &elf, sizeof(elf));
	memcpy(image->bytes + sizeof(elf), headers, sizeof(headers));
}

static struct err *open_bytes(const void *bytes, size_t size,
			      struct target **ret)
{
	const struct target_options options = { 0 };

	assert_int_equal(ftruncate(memory_file, 0), 0);
	assert_int_equal(pwrite(memory_file, bytes, size, 0), size);
	return target_open(path, &options, ret);
}

static void a_core_gives_its_facts(void **state)
{
	(void)state;
	static struct image image;
	struct target *target;
	char text[9] = "";

	make_core(&image);
	assert_ok(open_bytes(image.bytes, image.size, &target));
	assert_string_equal(target->ops->kind, "core");
	assert_int_equal(target->process->pid, 42);
	assert_int_equal(target->process->signal, SIGSEGV);
	assert_int_equal(target->process->fault_address, 0x18);
	assert_int_equal(target->process->crashed_thread, 43);
	assert_string_equal(target->process->executable, "/bin/x");
	assert_string_equal(target->process->arguments, "x -v");
	assert_int_equal(target->thread_count, 2);
	assert_int_equal(target_first_thread(target)->tid, 43);
	assert_int_equal(target_thread(target, 42)->registers.rip, TEXT + 0x20);
	assert_int_equal(target_thread(target, 42)->stack_high, STACK + PAGE);
	assert_int_equal(target->module_count, 1);
	assert_int_equal(target->modules[0].end, TEXT + 0x2800);
	assert_int_equal(target->modules[0].build_id_size, 4);
	assert_memory_equal(target->modules[0].build_id, "wxyz", 4);
	assert_int_equal(target->root_count, 1);
	assert_int_equal(target->roots[0], DATA);
	assert_string_equal(target_map_at(target, DATA)->path, "/bin/x");
	assert_ok(target_read(target, STACK, text, 8));
	assert_string_equal(text, "abcdefgh");
	assert_err(target_read(target, STACK, text, 9), ERR_NOT_FOUND,
		   "0x7fff0008: not in the core");
	assert_int_equal(target->warning_count, 0);
	target_close(target);
}

enum { SPLIT = 0x500000, PIECE = 512 };

/*
 * Four segments that adjoin in memory: the first two in the file, too, the
 * third elsewhere in it, and the last is what was left of one that had more.
 */
static void make_split_core(struct image *image)
{
	Elf64_Phdr headers[HEADERS];
	static const int order[HEADERS] = { 2, 0, 1, 3 };
	unsigned char bytes[PIECE];

	*image =
		(struct image){ .size = sizeof(core_header) + sizeof(headers) };
	for (int i = 0; i < HEADERS; i++) {
		memset(bytes, 'a' + order[i], sizeof(bytes));
		append_memory(image, &headers[order[i]],
			      SPLIT + (uint64_t)order[i] * PIECE,
			      order[i] == 1 ? PF_R : PF_R | PF_W, bytes,
			      sizeof(bytes));
	}
	for (int i = 0; i < HEADERS - 1; i++)
		headers[i].p_memsz = PIECE;
	memcpy(image->bytes, &core_header, sizeof(core_header));
	memcpy(image->bytes + sizeof(core_header), headers, sizeof(headers));
}

/* A view from so far before a border to so far behind it. */
static const char *view_across(struct target *target, int border)
{
	enum { HALF = 24 };
	const void *bytes = NULL;

	assert_ok(target_view(target, SPLIT + (uint64_t)border * PIECE - HALF,
			      2 * HALF, &bytes));
	for (int i = 0; i < 2 * HALF; i++)
		assert_int_equal(((const char *)bytes)[i],
				 'a' + border - (i < HALF));
	assert_int_equal((uintptr_t)bytes % 8, 0);
	return bytes;
}

static void segments_that_adjoin_are_viewed_across(void **state)
{
	(void)state;
	static struct image image;
	struct target *target;
	const void *bytes;
	char text[HEADERS * PIECE];

	make_split_core(&image);
	assert_ok(open_bytes(image.bytes, image.size, &target));
	assert_int_equal(target->map_count, HEADERS);
	assert_int_equal(target->extent_count, 1);
	assert_ok(target_view(target, SPLIT, PIECE, &bytes));
	assert_ptr_equal(view_across(target, 1),
			 (const char *)bytes + PIECE - 24);
	assert_ptr_equal(view_across(target, 2), view_across(target, 2));
	view_across(target, 3);
	assert_ok(target_read(target, SPLIT, text, sizeof(text)));
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(text[i], 'a' + (int)(i / PIECE));
	assert_err(target_view(target, SPLIT + 1, sizeof(text), &bytes),
		   ERR_NOT_FOUND, "0x500800: not in the core");
	target_close(target);
}

/* All views of one core's pieces together are no more than its file. */
static void pieces_are_not_put_together_for_ever(void **state)
{
	(void)state;
	static struct image image;
	struct target *target;
	const void *bytes;
	struct err *err = NULL;

	make_split_core(&image);
	assert_ok(open_bytes(image.bytes, image.size, &target));
	for (size_t size = PIECE + 1; !err && size < 3 * PIECE; size++)
		err = target_view(target, SPLIT + PIECE, size, &bytes);
	assert_non_null(err);
	assert_int_equal(err_code(err), ERR_UNSUPPORTED);
	err_free(err);
	assert_ok(target_view(target, SPLIT, 2 * PIECE, &bytes));
	target_close(target);
}

/* What opens must stand being asked. */
static void ask(struct target *target)
{
	unsigned char bytes[64];

	for (size_t i = 0; i < target->extent_count; i++)
		target_read_some(target, target->extents[i].start, bytes,
				 sizeof(bytes));
	for (size_t i = 0; i < target->module_count; i++)
		target_read_some(target, target->modules[i].base, bytes,
				 sizeof(bytes));
	target_close(target);
}

static void every_truncation_opens_or_says_why(void **state)
{
	(void)state;
	static struct image image;
	size_t opened = 0;

	make_core(&image);
	for (size_t cut = 0; cut < image.size; cut++) {
		struct target *target = NULL;
		struct err *err = open_bytes(image.bytes, cut, &target);

		if (!err) {
			assert_true(target->warning_count > 0 ||
				    cut + 16 >= image.size);
			ask(target);
			opened++;
		}
		err_free(err);
	}
	assert_true(opened > 100);
}

static void every_flipped_byte_is_survived(void **state)
{
	(void)state;
	static struct image image;

	make_core(&image);
	for (size_t i = 4; i < image.size; i++) {
		struct target *target = NULL;

		image.bytes[i] ^= 0xff;
		struct err *err = open_bytes(image.bytes, image.size, &target);
		image.bytes[i] ^= 0xff;
		if (!err)
			ask(target);
		err_free(err);
	}
}

static int make_path(void **state)
{
	(void)state;
	memory_file = memfd_create("core", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory_file);
	return memory_file < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_core_gives_its_facts),
		cmocka_unit_test(segments_that_adjoin_are_viewed_across),
		cmocka_unit_test(pieces_are_not_put_together_for_ever),
		cmocka_unit_test(every_truncation_opens_or_says_why),
		cmocka_unit_test(every_flipped_byte_is_survived),
	};

	return cmocka_run_group_tests(tests, make_path, NULL);
}

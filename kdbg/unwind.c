/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libdwfl applies the rules; we give it modules, memory and registers of the
 * target. It is made when the first stack is asked for and kept by the target.
 *
 * A stack is walked in runs. A run starts with known registers and goes on as
 * far as rules lead: to the outermost frame, or to code that has no rules (made
 * at run time, or of a file that is not there). After that the stack is
 * searched upward for a word that is an address after a call instruction, and
 * the next run starts there with nothing but pc and sp. sp only grows from run
 * to run, so the walk ends.
 *
 * A thread that jumped through a bad pointer has a pc outside all code: its
 * caller is what the call has just pushed.
 */
#include "kdbg/unwind.h"

#include "kdbg/arch.h"
#include "kdbg/target_file.h"

#include <elf.h>
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	FRAMES_MAX = 1 << 20,
	SEARCH_WORDS = 8192, /* of stack, for the next return address */
	WORD = 8,
	ANY_THREAD = 1, /* get_thread() takes any: registers make it one */
};

struct unwinder_module {
	struct unwinder *unwinder;
	const struct dump_module *module;
};

struct unwinder {
	struct target *target;
	Dwfl *dwfl;
	Elf *machine; /* says what processor it is, to libdwfl */
	Elf64_Ehdr header;
	struct unwinder_module *modules;

	/* Of the walk that goes on now. */
	uint64_t registers[ARCH_DWARF_REGISTERS];
	bool registers_whole; /* or only pc and sp are known */
	bool registers_wanted;
	struct unwind_frame last;
	size_t count;
	bool first_exact; /* of the run: its pc was to be executed */
	bool run_begins;
	bool guessed;
	bool enough;
	bool looped;
	unwind_fn *each;
	void *context;
};

/* --- what libdwfl asks for ---------------------------------------------- */

static int find_elf(Dwfl_Module *dwfl_module, void **userdata, const char *name,
		    Dwarf_Addr base, char **file_name, Elf **elf)
{
	const struct unwinder_module *slot = *userdata;
	const struct module_file *file;

	(void)dwfl_module;
	(void)name;
	(void)base;
	struct err *err =
		target_module_file(slot->unwinder->target, slot->module, &file);
	if (err) {
		err_free(err);
		return -1;
	}
	*elf = module_file_elf(file);
	*file_name = strdup(file->path);
	return -1; /* no descriptor: the Elf is all there is */
}

/* .eh_frame is in the file itself.
 * NOLINTNEXTLINE(readability-function-size): libdwfl's interface */
static int find_debuginfo(Dwfl_Module *module, void **userdata,
			  const char *name, Dwarf_Addr base,
			  const char *file_name, const char *link,
			  GElf_Word sum, char **debug_name)
{
	(void)module;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file_name;
	(void)link;
	(void)sum;
	(void)debug_name;
	return -1;
}

static const Dwfl_Callbacks file_callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	(void)dwfl;
	(void)arg;
	(void)thread_arg;
	return 0; /* threads are asked for one by one */
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	(void)dwfl;
	(void)tid;
	*thread_arg = arg;
	return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result,
			void *arg)
{
	struct unwinder *unwinder = arg;
	uint64_t value;

	(void)dwfl;
	struct err *err =
		target_read_uint(unwinder->target, address, WORD, &value);
	if (err) {
		err_free(err);
		return false;
	}
	*result = value;
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	struct unwinder *unwinder = arg;
	Dwarf_Word values[ARCH_DWARF_REGISTERS];
	Dwarf_Word sp = unwinder->registers[ARCH_DWARF_SP];
	Dwarf_Word pc = unwinder->registers[ARCH_DWARF_PC];

	/* libdwfl looks the first pc up as it is; a return address belongs to
	 * the call before it. */
	if (!unwinder->first_exact)
		pc--;
	for (int i = 0; i < ARCH_DWARF_REGISTERS; i++)
		values[i] = unwinder->registers[i];
	values[ARCH_DWARF_PC] = pc;
	dwfl_thread_state_register_pc(thread, pc);
	if (unwinder->registers_whole)
		return dwfl_thread_state_registers(
			thread, 0, ARCH_DWARF_REGISTERS, values);
	return dwfl_thread_state_registers(thread, ARCH_DWARF_SP, 1, &sp) &&
	       dwfl_thread_state_registers(thread, ARCH_DWARF_PC, 1, &pc);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

/* --- the unwinder ------------------------------------------------------- */

void unwinder_destroy(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	if (unwinder->dwfl)
		dwfl_end(unwinder->dwfl);
	elf_end(unwinder->machine);
	free(unwinder->modules);
	free(unwinder);
}

static bool report_modules(struct unwinder *unwinder)
{
	const struct target *target = unwinder->target;

	dwfl_report_begin(unwinder->dwfl);
	for (size_t i = 0; i < target->module_count; i++) {
		const struct dump_module *module = &target->modules[i];
		struct unwinder_module *slot = &unwinder->modules[i];
		void **userdata;

		*slot = (struct unwinder_module){ unwinder, module };
		if (target_module_at(target, module->base) != module)
			continue; /* lies on another one */
		Dwfl_Module *reported =
			dwfl_report_module(unwinder->dwfl, module->path,
					   module->base, module->end);
		if (!reported)
			return false;
		dwfl_module_info(reported, &userdata, NULL, NULL, NULL, NULL,
				 NULL, NULL);
		*userdata = slot;
	}
	return dwfl_report_end(unwinder->dwfl, NULL, NULL) == 0;
}

/* An ELF header and nothing else, which names the processor. */
static bool name_machine(struct unwinder *unwinder)
{
	Elf64_Ehdr *header = &unwinder->header;

	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_ident[EI_VERSION] = EV_CURRENT;
	header->e_type = ET_CORE;
	header->e_machine = ARCH_ELF_MACHINE;
	header->e_version = EV_CURRENT;
	header->e_ehsize = sizeof(*header);
	elf_version(EV_CURRENT);
	unwinder->machine = elf_memory((char *)header, sizeof(*header));
	return unwinder->machine != NULL;
}

static struct err *unwinder_create(struct target *target, struct unwinder **ret)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder)
		return err_new(ERR_NO_MEMORY, "unwinder");
	unwinder->target = target;
	unwinder->modules =
		calloc(target->module_count + 1, sizeof(*unwinder->modules));
	unwinder->dwfl = dwfl_begin(&file_callbacks);
	if (!unwinder->modules || !unwinder->dwfl ||
	    !report_modules(unwinder) || !name_machine(unwinder) ||
	    !dwfl_attach_state(unwinder->dwfl, unwinder->machine, 1,
			       &thread_callbacks, unwinder)) {
		unwinder_destroy(unwinder);
		return err_new(ERR_UNSUPPORTED, "unwinding: %s",
			       dwfl_errmsg(-1));
	}
	*ret = unwinder;
	return NULL;
}

/* --- a walk ------------------------------------------------------------- */

static bool emit(struct unwinder *unwinder, const struct unwind_frame *frame)
{
	const struct unwind_frame *last = &unwinder->last;

	unwinder->looped = unwinder->count == FRAMES_MAX ||
			   (unwinder->count && frame->pc == last->pc &&
			    frame->sp && frame->sp == last->sp);
	if (unwinder->looped)
		return false;
	unwinder->last = *frame;
	unwinder->last.registers = NULL;
	unwinder->count++;
	unwinder->enough = !unwinder->each(unwinder->context, frame);
	return !unwinder->enough;
}

static void read_registers(Dwfl_Frame *state, struct unwind_registers *ret)
{
	for (int i = 0; i < ARCH_DWARF_REGISTERS; i++) {
		Dwarf_Word value = 0;

		ret->known[i] = dwfl_frame_reg(state, (unsigned)i, &value) == 0;
		ret->values[i] = value;
	}
}

static int take_frame(Dwfl_Frame *state, void *arg)
{
	struct unwinder *unwinder = arg;
	struct unwind_frame frame = { .guessed = unwinder->guessed };
	struct unwind_registers registers;
	Dwarf_Addr pc;
	Dwarf_Word sp;

	if (!dwfl_frame_pc(state, &pc, &frame.exact))
		return DWARF_CB_ABORT;
	if (dwfl_frame_reg(state, ARCH_DWARF_SP, &sp) == 0)
		frame.sp = sp;
	if (unwinder->run_begins && !unwinder->first_exact) {
		pc++; /* set_registers() took it */
		frame.exact = false;
	}
	unwinder->run_begins = false;
	frame.pc = pc;
	if (unwinder->registers_wanted) {
		read_registers(state, &registers);
		registers.known[ARCH_DWARF_RESULT] &= frame.exact;
		registers.values[ARCH_DWARF_PC] = pc;
		registers.known[ARCH_DWARF_PC] = true;
		frame.registers = &registers;
	}
	return emit(unwinder, &frame) ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static bool is_code(const struct target *target, uint64_t address)
{
	const struct dump_map *map = target_map_at(target, address);

	return map ? map->flags & DUMP_MAP_EXEC
		   : target_module_at(target, address) != NULL;
}

static bool is_return_address(struct target *target, uint64_t address)
{
	unsigned char code[ARCH_CALL_MAX];

	if (address < ARCH_CALL_MAX || !is_code(target, address - 1))
		return false;
	size_t got = target_read_some(target, address - ARCH_CALL_MAX, code,
				      sizeof(code));
	/* Code whose file is not there cannot be asked. */
	return got < sizeof(code) || arch_ends_in_call(code, got);
}

/* Prepare the next run: from the first return address at or above sp. */
static bool search_stack(struct unwinder *unwinder, uint64_t sp)
{
	uint64_t at = (sp + WORD - 1) & ~(uint64_t)(WORD - 1);

	for (int i = 0; i < SEARCH_WORDS; i++, at += WORD) {
		uint64_t word;
		struct err *err =
			target_read_uint(unwinder->target, at, WORD, &word);

		if (err) {
			err_free(err);
			return false;
		}
		if (!is_return_address(unwinder->target, word))
			continue;
		unwinder->registers_whole = false;
		unwinder->registers[ARCH_DWARF_PC] = word;
		unwinder->registers[ARCH_DWARF_SP] = at + WORD;
		unwinder->first_exact = false;
		unwinder->guessed = true;
		return true;
	}
	return false;
}

static struct err *ends_early(const struct unwinder *unwinder)
{
	if (unwinder->looped)
		return err_new(
			ERR_CORRUPT,
			"the stack does not end: frame %zu at sp %#" PRIx64
			" comes again",
			unwinder->count, unwinder->last.sp);
	return err_new(
		ERR_NOT_FOUND,
		"the stack ends early: nothing tells who called %#" PRIx64,
		unwinder->last.pc);
}

/* A call through a bad pointer: the frame has nothing but what the call
 * pushed. */
static struct err *step_over_bad_pc(struct unwinder *unwinder)
{
	uint64_t *pc = &unwinder->registers[ARCH_DWARF_PC];
	uint64_t *sp = &unwinder->registers[ARCH_DWARF_SP];
	const struct unwind_frame frame = { .pc = *pc,
					    .sp = *sp,
					    .exact = true };

	if (!emit(unwinder, &frame))
		return NULL;
	struct err *err = target_read_uint(unwinder->target, *sp, WORD, pc);
	if (err)
		return err_wrap(err, "no return address");
	unwinder->first_exact = false;
	if (is_return_address(unwinder->target, *pc))
		*sp += WORD;
	else if (!search_stack(unwinder, *sp))
		return ends_early(unwinder);
	return NULL;
}

static struct err *walk(struct unwinder *unwinder)
{
	uint64_t reached = 0;

	for (;;) {
		unwinder->run_begins = true;
		int result = dwfl_getthread_frames(unwinder->dwfl, ANY_THREAD,
						   take_frame, unwinder);
		if (unwinder->enough || result == 0)
			return NULL;
		if (unwinder->looped || !unwinder->last.sp)
			return ends_early(unwinder);
		/* The word at sp of a caller may be its own argument: begin
		 * where the last run ended, and never again below that. */
		if (unwinder->last.sp > reached)
			reached = unwinder->last.sp;
		if (!search_stack(unwinder, reached))
			return ends_early(unwinder);
		reached = unwinder->registers[ARCH_DWARF_SP];
	}
}

static struct err *unwind(struct target *target,
			  const struct dump_thread *thread, bool registers,
			  unwind_fn *each, void *context)
{
	struct err *err = NULL;

	if (!(thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC)))
		return err_new(ERR_NOT_FOUND,
			       "the registers of thread %" PRIu32
			       " are not in the %s",
			       thread->tid, target->ops->kind);
	if (!target->unwinder)
		err = unwinder_create(target, &target->unwinder);
	if (err)
		return err;
	struct unwinder *unwinder = target->unwinder;
	arch_dwarf_registers(&thread->registers, unwinder->registers);
	unwinder->registers_whole = thread->flags & DUMP_THREAD_REGISTERS;
	unwinder->registers_wanted = registers;
	unwinder->last = (struct unwind_frame){ 0 };
	unwinder->count = 0;
	unwinder->first_exact = true;
	unwinder->guessed = unwinder->enough = unwinder->looped = false;
	unwinder->each = each;
	unwinder->context = context;
	if (!is_code(target, unwinder->registers[ARCH_DWARF_PC]))
		err = step_over_bad_pc(unwinder);
	if (err || unwinder->enough)
		return err;
	return walk(unwinder);
}

struct err *unwind_thread(struct target *target,
			  const struct dump_thread *thread, unwind_fn *each,
			  void *context)
{
	return unwind(target, thread, false, each, context);
}

struct err *unwind_thread_registers(struct target *target,
				    const struct dump_thread *thread,
				    unwind_fn *each, void *context)
{
	return unwind(target, thread, true, each, context);
}

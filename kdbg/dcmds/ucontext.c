/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::ucontext and its walkers - where signals found threads. */
#include "kdbg/arch.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"
#include "kdbg/unwind.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { MEANING_SIZE = 512, LINKS_MAX = 1024 };

static const struct column ucontext_columns[] = {
	{ "FIELD", VALUE_TEXT, .width = 12 },
	{ "VALUE", VALUE_ADDRESS },
	{ "MEANING", VALUE_TEXT },
};

static const struct table ucontext_tables[] = {
	{ "default", ucontext_columns, 3 },
};

static struct err *read_context(struct session *session, uint64_t address,
				struct arch_ucontext *ret)
{
	unsigned char bytes[ARCH_UCONTEXT_SIZE];
	struct err *err =
		target_read(session->target, address, bytes, sizeof(bytes));

	if (!err)
		arch_ucontext_read(bytes, ret);
	return err_wrap(err, "ucontext_t");
}

/* "HUP INT", "all but ABRT SEGV": the shorter. */
static const char *describe_mask(uint64_t mask, char *buffer, size_t size)
{
	bool inverse = __builtin_popcountll(mask) > 32;
	size_t used = 0;

	if (inverse)
		used = (size_t)snprintf(buffer, size, "all but");
	if (!mask)
		return "no signal is blocked";
	for (int i = 1; i <= 64; i++) {
		const char *name = i < SIGRTMIN ? sigabbrev_np(i) : NULL;

		if ((mask >> (i - 1) & 1) == inverse || used >= size)
			continue;
		if (name)
			used += (size_t)snprintf(buffer + used, size - used,
						 "%s%s", used ? " " : "", name);
		else
			used += (size_t)snprintf(buffer + used, size - used,
						 "%s%d", used ? " " : "", i);
	}
	return buffer;
}

static const char *describe_stack(uint32_t flags)
{
	if (flags & SS_DISABLE)
		return "there is no alternate stack";
	return flags & SS_ONSTACK ? "the alternate stack, in use"
				  : "the alternate stack";
}

static struct err *ucontext_run(const struct dcmd_call *call, struct sink *out)
{
	char place[MEANING_SIZE], mask[MEANING_SIZE];
	struct arch_ucontext context;
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	if (!err)
		err = read_context(call->session, call->address, &context);
	if (err)
		return err;
	symbols_format_pc(symbols, context.registers.rip, place, sizeof(place));
	SINK_ROW(out, TEXT("flags"), ADDRESS(context.flags), TEXT(NULL));
	SINK_ROW(out, TEXT("link"), ADDRESS(context.link),
		 TEXT(context.link ? "the ucontext_t to go back to" : NULL));
	SINK_ROW(out, TEXT("stack"), ADDRESS(context.stack),
		 TEXT(describe_stack(context.stack_flags)));
	SINK_ROW(out, TEXT("stack size"), ADDRESS(context.stack_size),
		 TEXT(NULL));
	SINK_ROW(out, TEXT("signal mask"), ADDRESS(context.mask),
		 TEXT(describe_mask(context.mask, mask, sizeof(mask))));
	SINK_ROW(out, TEXT("trap"), ADDRESS(context.trap), TEXT(NULL));
	SINK_ROW(out, TEXT("trap error"), ADDRESS(context.trap_error),
		 TEXT(NULL));
	SINK_ROW(out, TEXT("fault"), ADDRESS(context.fault_address),
		 TEXT(NULL));
	SINK_ROW(out, TEXT("rsp"), ADDRESS(context.registers.rsp), TEXT(NULL));
	SINK_ROW(out, TEXT("rip"), ADDRESS(context.registers.rip), TEXT(place));
	return NULL;
}

const struct dcmd dcmd_ucontext = {
	.name = "ucontext",
	.summary = "what a signal's handler was given of the thread it found",
	.help = "Where the signal found the thread, which signals were "
		"blocked then, the fault if it was one, and its alternate "
		"stack. ADDR::regs -u shows all registers. The walker ucontext "
		"finds those of handlers that had not returned; a program can "
		"keep others (getcontext).",
	.example = "::walk ucontext | ::ucontext",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "ucontext",
	.tables = ucontext_tables,
	.table_count = 1,
	.run = ucontext_run,
};

/* --- walkers ------------------------------------------------------------ */

struct signal_walk {
	struct session *session;
	walk_fn *each;
	void *context;
	uint64_t sp; /* of the frame before, which called this one */
	bool any, stopped;
};

/* The frame of the code that a handler returns to has its ucontext_t at sp, and
 * the one that it interrupted comes next. */
static bool is_context_of(const struct signal_walk *walk,
			  const struct unwind_frame *frame)
{
	struct arch_ucontext at;

	if (!walk->any || !frame->exact || !walk->sp)
		return false;
	struct err *err = read_context(walk->session, walk->sp, &at);
	bool found = !err && at.registers.rip == frame->pc;
	err_free(err);
	return found;
}

static bool each_frame(void *context, const struct unwind_frame *frame)
{
	struct signal_walk *walk = context;

	if (is_context_of(walk, frame))
		walk->stopped = !walk->each(walk->context, walk->sp);
	walk->sp = frame->sp;
	walk->any = true;
	return !walk->stopped;
}

static struct err *walk_ucontexts(struct session *session, bool has_address,
				  uint64_t address, walk_fn *each,
				  void *context)
{
	const struct target *target = session->target;
	struct signal_walk walk = { .session = session,
				    .each = each,
				    .context = context };
	const struct dump_thread *only = NULL;

	if (has_address) {
		struct err *err = thread_find(target, address, &only);

		if (err)
			return err;
	}
	for (size_t i = 0; i < target->thread_count && !walk.stopped; i++) {
		walk.any = false; /* what cannot be unwound has none to show */
		if (!only || only == &target->threads[i])
			err_free(unwind_thread(session->target,
					       &target->threads[i], each_frame,
					       &walk));
	}
	return NULL;
}

static struct err *walk_links(struct session *session, bool has_address,
			      uint64_t address, walk_fn *each, void *context)
{
	struct arch_ucontext at;

	(void)has_address;
	for (int i = 0; i < LINKS_MAX && address; i++) {
		struct err *err = read_context(session, address, &at);

		if (err)
			return err;
		if (!each(context, address))
			return NULL;
		address = at.link;
	}
	return address ? err_new(ERR_CORRUPT, "the links do not end") : NULL;
}

const struct walker walker_ucontext = {
	.name = "ucontext",
	.summary = "the ucontext_t of each signal handler on the stacks",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.walk = walk_ucontexts,
};

const struct walker walker_oldcontext = {
	.name = "oldcontext",
	.summary = "a ucontext_t and those that its links lead to",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "ucontext",
	.walk = walk_links,
};

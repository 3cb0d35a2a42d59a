/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The border between kdbg and a module.
 *
 *	kdbg ---run()---> [guard on] module ---api--> [guard off] kdbg ---> ...
 *
 * The guard is on while the module's own code runs and off while it is in ours,
 * so a crash is always told apart, and the jump out of one never skips a frame
 * of kdbg.
 */
#include "kdbg/module_calls.h"

#include "kdbg/guard.h"
#include "kdbg/modules.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

/* The session as a module's call sees it. */
struct visit {
	struct kdbg kdbg; /* first: the module has a pointer to it */
	struct session *session;
	struct sink *out;                     /* of a command */
	const struct module_command *command; /* whose columns rows have */
	struct err *err;                      /* the last */
};

static struct visit *visit_of(struct kdbg *kdbg)
{
	return (struct visit *)kdbg;
}

static int keep(struct visit *visit, struct err *err)
{
	err_free(visit->err);
	visit->err = err;
	return err ? -1 : 0;
}

/* --- what a module may call ---------------------------------------------- */

static int api_read(struct kdbg *kdbg, uint64_t address, void *buffer,
		    size_t size)
{
	struct guard *guard = guard_suspend();
	struct visit *visit = visit_of(kdbg);
	int result = keep(visit, target_read(visit->session->target, address,
					     buffer, size));

	guard_resume(guard);
	return result;
}

static size_t api_read_some(struct kdbg *kdbg, uint64_t address, void *buffer,
			    size_t size)
{
	struct guard *guard = guard_suspend();
	size_t got = target_read_some(visit_of(kdbg)->session->target, address,
				      buffer, size);

	guard_resume(guard);
	return got;
}

static int api_find_symbol(struct kdbg *kdbg, const char *name,
			   uint64_t *address)
{
	struct guard *guard = guard_suspend();
	struct visit *visit = visit_of(kdbg);
	int result = keep(
		visit, session_evaluate_symbol(visit->session, name, address));

	guard_resume(guard);
	return result;
}

static void api_format_address(struct kdbg *kdbg, uint64_t address,
			       char *buffer, size_t size)
{
	struct guard *guard = guard_suspend();
	struct symbols *symbols;
	struct err *err = session_symbols(visit_of(kdbg)->session, &symbols);

	if (size)
		buffer[0] = '\0';
	if (!err)
		symbols_format(symbols, address, buffer, size);
	err_free(err);
	guard_resume(guard);
}

static int api_evaluate(struct kdbg *kdbg, const char *text, uint64_t *value)
{
	struct guard *guard = guard_suspend();
	struct visit *visit = visit_of(kdbg);
	int result = keep(visit, session_evaluate(visit->session, text, value));

	guard_resume(guard);
	return result;
}

struct each_call {
	kdbg_each *each;
	void *context;
	int crashed; /* the signal of a crash in it */
};

/* From our walker back into the module. A crash ends our walk in good order;
 * api_walk() then passes it on. */
static bool call_each(void *context, uint64_t value)
{
	struct each_call *call = context;
	volatile bool more = false;
	struct guard guard;

	if (guard_enter(&guard))
		call->crashed = guard.signal;
	else
		more = call->each(call->context, value);
	guard_leave(&guard);
	return more;
}

static int api_walk(struct kdbg *kdbg, const char *name,
		    const uint64_t *address, kdbg_each *each, void *context)
{
	struct guard *guard = guard_suspend();
	struct visit *visit = visit_of(kdbg);
	const struct walker *walker = session_walker(visit->session, name);
	struct each_call call = { each, context, 0 };
	struct err *err = NULL;

	if (!walker)
		err = err_new(ERR_NOT_FOUND, "unknown walker %s", name);
	else if (walker->address_use == ADDRESS_REQUIRED && !address)
		err = err_new(ERR_USAGE, "walker %s needs an address", name);
	else
		err = session_walk(visit->session, walker, address != NULL,
				   address ? *address : 0, call_each, &call);
	if (call.crashed) {
		err_free(err);
		guard_crash(guard, call.crashed);
	}
	int result = keep(visit, err);
	guard_resume(guard);
	return result;
}

static struct value to_value(enum kdbg_kind kind,
			     const struct kdbg_value *value)
{
	static const enum value_kind kinds[] = {
		[KDBG_ADDRESS] = VALUE_ADDRESS, [KDBG_HEX] = VALUE_HEX,
		[KDBG_COUNT] = VALUE_COUNT,     [KDBG_SIGNED] = VALUE_SIGNED,
		[KDBG_SIZE] = VALUE_SIZE,       [KDBG_REAL] = VALUE_REAL,
		[KDBG_TEXT] = VALUE_TEXT,
	};
	struct value ret = { .kind = kinds[kind], .absent = value->absent };

	if (kind == KDBG_REAL)
		ret.real = value->real;
	else if (kind == KDBG_TEXT)
		ret.text = value->text;
	else
		ret.number = value->number;
	return ret;
}

static void api_row(struct kdbg *kdbg, const struct kdbg_value *values)
{
	struct guard *guard = guard_suspend();
	struct visit *visit = visit_of(kdbg);
	const struct kdbg_command *is =
		visit->command ? visit->command->is : NULL;
	struct value row[COLUMNS_MAX];

	for (size_t i = 0; is && i < is->column_count; i++)
		row[i] = to_value(is->columns[i].kind, &values[i]);
	if (is)
		sink_row(visit->out, row, is->column_count, NULL);
	guard_resume(guard);
}

static char *format_text(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

static void api_note(struct kdbg *kdbg, const char *format, ...)
{
	struct guard *guard = guard_suspend();
	struct visit *visit = visit_of(kdbg);
	va_list args;

	va_start(args, format);
	char *text = format_text(format, args);
	va_end(args);
	if (text && visit->out)
		sink_note(visit->out, "%s", text);
	free(text);
	guard_resume(guard);
}

static int api_fail(struct kdbg *kdbg, const char *format, ...)
{
	struct guard *guard = guard_suspend();
	va_list args;

	va_start(args, format);
	char *text = format_text(format, args);
	va_end(args);
	keep(visit_of(kdbg),
	     err_new(ERR_NOT_FOUND, "%s", text ? text : format));
	free(text);
	guard_resume(guard);
	return -1;
}

static bool api_stopped(struct kdbg *kdbg)
{
	const struct visit *visit = visit_of(kdbg);

	return session_interrupted(visit->session) ||
	       (visit->out && visit->out->failed);
}

static const struct kdbg_api api = {
	.size = sizeof(api),
	.read = api_read,
	.read_some = api_read_some,
	.find_symbol = api_find_symbol,
	.format_address = api_format_address,
	.evaluate = api_evaluate,
	.walk = api_walk,
	.row = api_row,
	.note = api_note,
	.fail = api_fail,
	.stopped = api_stopped,
};

/* --- calling a module ----------------------------------------------------- */

/* After a crash: whatever the module was doing is lost, and it goes. */
static struct err *crashed(struct session *session, struct module *module,
			   int number)
{
	err_free(modules_unload(session, module->facts->name));
	return err_new(ERR_CORRUPT, "module %s crashed (%s) and is unloaded",
		       module->path, strsignal(number));
}

/* What the call came to: its own word, else the last thing that failed. */
static struct err *outcome(struct visit *visit, int result)
{
	struct err *err = visit->err;

	if (result == 0) {
		err_free(err);
		return NULL;
	}
	return err ? err : err_new(ERR_NOT_FOUND, "it failed");
}

static struct err *command_run(const struct dcmd_call *call, struct sink *out)
{
	/* The dcmd is the first member of its command. */
	const struct module_command *command =
		(const struct module_command *)call->dcmd;
	const struct kdbg_call args = {
		.address =
			call->has_address ? call->address : call->session->dot,
		.has_address = call->has_address,
		.argc = call->argc,
		.argv = call->argv,
	};
	struct visit visit = { .kdbg = { &api },
			       .session = call->session,
			       .out = out,
			       .command = command };
	struct guard guard;
	int result;

	if (guard_enter(&guard)) {
		guard_leave(&guard);
		err_free(visit.err);
		return crashed(call->session, command->module, guard.signal);
	}
	result = command->is->run(&visit.kdbg, &args);
	guard_leave(&guard);
	return outcome(&visit, result);
}

/* From the module's walker to who wants the values. */
static bool give_value(void *context, uint64_t value)
{
	struct guard *guard = guard_suspend();
	const struct each_call *call = context;
	bool more = call->each(call->context, value);

	guard_resume(guard);
	return more;
}

static struct err *walker_walk(struct session *session, bool has_address,
			       uint64_t address, walk_fn *each, void *context)
{
	const struct module_walker *walker =
		(const struct module_walker *)session->walker;
	struct visit visit = { .kdbg = { &api }, .session = session };
	struct each_call call = { each, context, 0 };
	struct guard guard;
	int result;

	if (guard_enter(&guard)) {
		guard_leave(&guard);
		err_free(visit.err);
		return crashed(session, walker->module, guard.signal);
	}
	result = walker->is->walk(&visit.kdbg, has_address ? &address : NULL,
				  give_value, &call);
	guard_leave(&guard);
	return outcome(&visit, result);
}

/* --- what a module says of itself ----------------------------------------- */

static bool is_told(const char *text)
{
	return text && *text;
}

static struct err *check_command(const struct kdbg_command *command)
{
	if (!is_told(command->name) || !command->run)
		return err_new(ERR_USAGE, "a command has no name or does "
					  "nothing");
	if (!is_told(command->summary) || !is_told(command->help) ||
	    !is_told(command->example))
		return err_new(ERR_USAGE,
			       "::%s does not explain itself: it needs "
			       "summary, help and example",
			       command->name);
	if (command->column_count == 0 || command->column_count > COLUMNS_MAX)
		return err_new(ERR_USAGE, "::%s has %zu columns", command->name,
			       command->column_count);
	for (size_t i = 0; i < command->column_count; i++)
		if (!is_told(command->columns[i].name) ||
		    command->columns[i].kind > KDBG_TEXT)
			return err_new(ERR_USAGE, "::%s: column %zu is not one",
				       command->name, i);
	return NULL;
}

struct err *module_check(const struct kdbg_module *facts)
{
	struct err *err = NULL;

	if (!is_told(facts->name))
		return err_new(ERR_USAGE, "the module has no name");
	for (size_t i = 0; !err && i < facts->command_count; i++)
		err = check_command(&facts->commands[i]);
	for (size_t i = 0; !err && i < facts->walker_count; i++)
		if (!is_told(facts->walkers[i].name) ||
		    !is_told(facts->walkers[i].summary) ||
		    !facts->walkers[i].walk)
			err = err_new(ERR_USAGE,
				      "a walker has no name or summary");
	return err ? err_wrap(err, "%s", facts->name) : NULL;
}

static struct err *describe_command(struct module *module,
				    struct module_command *command,
				    const struct kdbg_command *is)
{
	command->columns = calloc(is->column_count, sizeof(*command->columns));
	if (!command->columns)
		return err_new(ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < is->column_count; i++) {
		const struct kdbg_value none = { .absent = true };

		command->columns[i] = (struct column){
			.name = is->columns[i].name,
			.kind = to_value(is->columns[i].kind, &none).kind,
			.width = is->columns[i].width,
		};
	}
	command->is = is;
	command->module = module;
	command->table = (struct table){ "default", command->columns,
					 is->column_count, false };
	command->dcmd = (struct dcmd){
		.name = is->name,
		.summary = is->summary,
		.help = is->help,
		.example = is->example,
		.arguments = is->arguments,
		.address_use = (enum address_use)is->address,
		.tables = &command->table,
		.table_count = 1,
		.run = command_run,
	};
	return NULL;
}

struct err *module_describe(struct module *module)
{
	const struct kdbg_module *facts = module->facts;
	struct err *err = NULL;

	module->commands =
		calloc(facts->command_count + 1, sizeof(*module->commands));
	module->walkers =
		calloc(facts->walker_count + 1, sizeof(*module->walkers));
	if (!module->commands || !module->walkers)
		return err_new(ERR_NO_MEMORY, "out of memory");
	module->facts_command_count = facts->command_count;
	for (size_t i = 0; !err && i < facts->command_count; i++)
		err = describe_command(module, &module->commands[i],
				       &facts->commands[i]);
	for (size_t i = 0; i < facts->walker_count; i++)
		module->walkers[i] = (struct module_walker){
			.walker = { .name = facts->walkers[i].name,
				    .summary = facts->walkers[i].summary,
				    .address_use =
					    (enum address_use)facts->walkers[i]
						    .address,
				    .address_is = "address",
				    .walk = walker_walk },
			.is = &facts->walkers[i],
			.module = module,
		};
	return err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/session.h"

#include "kdbg/dcmd.h"
#include "kdbg/disassemble.h"
#include "kdbg/exit_status.h"
#include "kdbg/heap.h"
#include "kdbg/modules.h"
#include "kdbg/symbols.h"
#include "kdbg/symbols_heap.h"
#include "kdbg/target.h"
#include "kdbg/types.h"
#include "kdbg/utf8.h"
#include "kdbg/variables.h"

#include <stdlib.h>
#include <string.h>

enum { RADIX_DEFAULT = 16, ARRAY_DEFAULT = 1024 };

struct err *session_init(struct session *session, struct target *target,
			 const struct dcmd *const *dcmds,
			 const struct walker *const *walkers)
{
	*session = (struct session){
		.target = target,
		.dcmds = dcmds,
		.walkers = walkers,
		.radix = RADIX_DEFAULT,
		.array_mem_limit = ARRAY_DEFAULT,
		.array_str_limit = ARRAY_DEFAULT,
		.errors = stderr,
	};
	return variables_create(&session->variables);
}

static void forget_views(struct session *session)
{
	session_forget_reach(session);
	types_destroy(session->types); /* stands on the symbols */
	if (session->symbols)          /* may name modules as the heap does */
		symbols_destroy(session->symbols);
	if (session->heap)
		heap_close(session->heap);
	session->types = NULL;
	session->symbols = NULL;
	session->heap = NULL;
}

void session_attach(struct session *session, struct target *target)
{
	forget_views(session);
	if (session->target)
		target_close(session->target);
	session->target = target;
	session->thread = 0;
	session->gone = false;
	session->dot = session->last = session->increment = 0;
}

struct err *session_stop(struct session *session)
{
	struct target *target;

	if (!session->target || !session->target->released || session->gone)
		return NULL;
	struct err *err = target_reopen(session->target, &target);
	if (err) {
		session->gone = true;
		return err_wrap(err, "only what was read before is left");
	}
	forget_views(session);
	target_close(session->target);
	session->target = target;
	return NULL;
}

void session_release(struct session *session)
{
	if (session->target)
		target_release(session->target, NULL);
}

void session_deinit(struct session *session)
{
	forget_views(session);
	if (session->target)
		target_close(session->target);
	modules_destroy(session->modules);
	variables_destroy(session->variables);
	disassembler_destroy(session->disassembler);
	free(session->repeat);
	free(session->prompt);
	free(session->macro_path);
	free(session->module_path);
	if (session->log)
		fclose(session->log);
	*session = (struct session){ 0 };
}

static struct err *need_target(const struct session *session)
{
	if (session->target)
		return NULL;
	return err_new(ERR_NOT_FOUND, "no dump, core or process is open");
}

/* A target without libkma has none. */
static void add_past_modules(struct session *session)
{
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	if (!err)
		symbols_add_heap(session->symbols, heap);
	err_free(err);
}

struct err *session_symbols(struct session *session, struct symbols **ret)
{
	struct err *err = need_target(session);

	if (!err && !session->symbols) {
		err = symbols_create(session->target, &session->symbols);
		if (!err)
			add_past_modules(session);
	}
	if (!err)
		symbols_set_style(session->symbols, &session->symbols_style);
	*ret = session->symbols;
	return err;
}

struct err *session_types(struct session *session, struct types **ret)
{
	struct symbols *symbols;
	struct err *err = session_symbols(session, &symbols);

	if (!err && !session->types)
		err = types_create(symbols, &session->types);
	*ret = session->types;
	return err;
}

struct err *session_heap(struct session *session, struct heap **ret)
{
	struct err *err = need_target(session);

	if (!err && !session->heap)
		err = heap_open(session->target, &session->heap);
	*ret = session->heap;
	return err;
}

struct err *session_reach(struct session *session, struct reach **ret)
{
	struct err *err = need_target(session);

	if (!err && !session->reach)
		err = reach_create(session, &session->reach_options,
				   &session->reach);
	*ret = session->reach;
	return err;
}

struct err *session_leaks(struct session *session, struct leaks **ret)
{
	struct reach *reach;
	struct err *err = session_reach(session, &reach);

	if (!err && !session->leaks)
		err = leaks_create(session, reach, &session->leaks_options,
				   &session->leaks);
	*ret = session->leaks;
	return err;
}

static void forget_leaks(struct session *session)
{
	if (session->leaks)
		leaks_destroy(session->leaks);
	session->leaks = NULL;
}

void session_judge(struct session *session, const struct reach_options *reach,
		   const struct leaks_options *leaks)
{
	if (session->reach_options.without != reach->without ||
	    !pointer_forms_equal(&session->reach_options.forms, &reach->forms))
		session_forget_reach(session);
	if (session->leaks_options.since != leaks->since)
		forget_leaks(session);
	session->reach_options = *reach;
	session->leaks_options = *leaks;
}

void session_forget_reach(struct session *session)
{
	forget_leaks(session);
	if (session->reach)
		reach_destroy(session->reach);
	session->reach = NULL;
}

/* An alias may have words behind it: "$v -n". */
static bool is_alias(const char *wanted, const char *alias)
{
	size_t length = strcspn(alias, " ");

	return strlen(wanted) == length && strncmp(wanted, alias, length) == 0;
}

static bool is_named(const char *wanted, const char *name,
		     const char *const *aliases)
{
	if (strcmp(wanted, name) == 0)
		return true;
	for (; aliases && *aliases; aliases++)
		if (is_alias(wanted, *aliases))
			return true;
	return false;
}

const char *dcmd_alias_words(const struct dcmd *dcmd, const char *name)
{
	for (const char *const *at = dcmd->aliases; at && *at; at++)
		if (is_alias(name, *at))
			return *at + strlen(name);
	return "";
}

const struct dcmd *session_dcmd(const struct session *session, const char *name)
{
	for (size_t i = 0; session->dcmds[i]; i++)
		if (is_named(name, session->dcmds[i]->name,
			     session->dcmds[i]->aliases))
			return session->dcmds[i];
	return NULL;
}

const struct walker *session_walker(const struct session *session,
				    const char *name)
{
	for (size_t i = 0; session->walkers[i]; i++)
		if (is_named(name, session->walkers[i]->name,
			     session->walkers[i]->aliases))
			return session->walkers[i];
	return NULL;
}

struct err *session_walk(struct session *session, const struct walker *walker,
			 bool has_address, uint64_t address,
			 bool (*each)(void *context, uint64_t value),
			 void *context)
{
	const struct walker *outer = session->walker;

	session->walker = walker;
	struct err *err =
		walker->walk(session, has_address, address, each, context);
	session->walker = outer;
	return err;
}

void session_report(struct session *session, struct err *err)
{
	char text[1024];

	if (!err)
		return;
	err_describe(err, text, sizeof(text));
	fputs("kdbg: ", session->errors);
	utf8_put(session->errors, text);
	fputc('\n', session->errors);
	err_free(err);
	if (!session->status)
		session->status = STATUS_FAILED;
}

void session_found_damage(struct session *session)
{
	session->status = STATUS_FINDINGS;
}

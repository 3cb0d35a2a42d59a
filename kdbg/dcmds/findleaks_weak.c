/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::findleaks --weak - what a single word of a stack or register holds. */
#include "kdbg/dcmds/findleaks.h"
#include "kdbg/leaks_weak.h"
#include "kdbg/symbols.h"

enum { TEXT_SIZE = 512 };

static void put_leak(const struct dcmd_call *call, struct places *places,
		     const struct weak_leaks *weak,
		     const struct weak_leak *leak, struct sink *out)
{
	struct symbols *symbols = NULL;
	const struct heap_cache *caches;
	struct heap *heap;
	char caller[TEXT_SIZE], held[TEXT_SIZE];

	err_free(session_heap(call->session, &heap));
	err_free(session_symbols(call->session, &symbols));
	heap_caches(heap, &caches);
	leaks_caller(weak->leaks, symbols, &leak->group, caller,
		     sizeof(caller));
	places_describe(places, &leak->place, held, sizeof(held));
	SINK_ROW(out, TEXT(caches[leak->group.cache].name),
		 COUNT(leak->group.leaked), ADDRESS(leak->group.address),
		 SIZE(leak->group.retained), TEXT(caller), TEXT(held),
		 leak->place.address ? ADDRESS(leak->place.address)
				     : ABSENT(VALUE_ADDRESS));
}

struct err *findleaks_weak(const struct dcmd_call *call,
			   const struct findleaks_filter *filter,
			   struct sink *out)
{
	struct weak_leaks weak;
	struct places *places;
	struct err *err = places_create(call->session, &places);

	if (err)
		return err;
	err = weak_leaks_find(call->session, places, &weak);
	for (size_t i = 0; !err && i < weak.count && !out->failed; i++)
		if (findleaks_from(call->session, filter, &weak.list[i].group))
			put_leak(call, places, &weak, &weak.list[i], out);
	if (!err && !weak.count && !call->to_pipe)
		sink_note(out, "findleaks: a single word of a stack or "
			       "a register holds nothing");
	weak_leaks_deinit(&weak);
	places_destroy(places);
	return err;
}

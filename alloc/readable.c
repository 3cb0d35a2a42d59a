/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/readable.h"

#include "alloc/pages.h"
#include "alloc/sys.h"

#include <string.h>

/* The page that was last found readable; what is asked for lies close. */
struct look {
	uintptr_t page;
};

/*
 * The kernel reads the new mask before it sees that nothing is to be done with
 * it: EINVAL if it could. At the page's end, as NULL would be no mask. Where
 * the call itself is refused, nothing is known.
 */
static bool is_readable(struct look *look, uintptr_t address)
{
	enum { NO_SUCH_HOW = -1, MASK_SIZE = 8 };
	uintptr_t page = address & ~(uintptr_t)(KMA_PAGE_SIZE - 1);

	if (page && page == look->page)
		return true;
	if (sys_call(SYS_rt_sigprocmask, NO_SUCH_HOW,
		     (long)(page + KMA_PAGE_SIZE - MASK_SIZE), 0, MASK_SIZE, 0,
		     0) == -EFAULT)
		return false;
	look->page = page;
	return true;
}

static bool is_text(struct look *look, const char *text)
{
	for (;;) {
		size_t here = KMA_PAGE_SIZE - (uintptr_t)text % KMA_PAGE_SIZE;

		if (!is_readable(look, (uintptr_t)text))
			return false;
		if (strnlen(text, here) < here)
			return true;
		text += here;
	}
}

bool kma_readable_text(const char *text)
{
	struct look look = { 0 };

	return is_text(&look, text);
}

/* One look for the pointers and one for the texts, which lie elsewhere. */
bool kma_readable_list(char *const *list)
{
	struct look pointers = { 0 }, texts = { 0 };

	for (; list; list++) {
		if (!is_readable(&pointers, (uintptr_t)list) ||
		    !is_readable(&pointers, (uintptr_t)(list + 1) - 1))
			return false;
		if (!*list)
			return true;
		if (!is_text(&texts, *list))
			return false;
	}
	return true;
}

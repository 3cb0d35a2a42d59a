/* SPDX-License-Identifier: GPL-3.0-or-later */
/* new with an alignment, then delete without: as it should be first. */
#include "tests/misuse/misuse.h"

#include <new>

static const std::align_val_t wide = std::align_val_t(64);

static APART void *make_aligned()
{
	void *p = ::operator new(24, wide);

	KEEP(p);
	return p;
}

static APART void drop_aligned(void *p)
{
	::operator delete(p, wide);
	KEEP(p);
}

static APART void drop_delete(void *p)
{
	::operator delete(p);
	KEEP(p);
}

int main()
{
	drop_aligned(make_aligned());
	drop_delete(make_aligned());
	return 0;
}

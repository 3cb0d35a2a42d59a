/* SPDX-License-Identifier: GPL-3.0-or-later */
/* new[] without an alignment, then delete[] with one. */
#include "tests/misuse/misuse.h"

#include <new>

static APART void *make_array(size_t size)
{
	void *p = ::operator new[](size);

	KEEP(p);
	return p;
}

static APART void drop_aligned(void *p, size_t size)
{
	::operator delete[](p, size, std::align_val_t(64));
	KEEP(p);
}

int main()
{
	drop_aligned(make_array(24), 24);
	return 0;
}

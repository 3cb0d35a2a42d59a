/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library's constructor, run before the allocator's own and before anything
 * was allocated, may make a thread. */
#include "tests/contract/contract.h"

int library_thread_joined(void);

int main(void)
{
	CHECK(library_thread_joined() == 0);
	return 0;
}

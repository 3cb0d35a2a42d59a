/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With faults injected (mtbf) only calls that may fail do. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

int main(void)
{
	enum { CALLS = 20000 };
	unsigned failed = 0;

	for (int i = 0; i < CALLS; i++) {
		void *p = kmem_alloc(100, KM_NOSLEEP);

		failed += !p;
		if (p)
			kmem_free(p, 100);
		p = kmem_alloc(100, KM_SLEEP);
		CHECK(p);
		kmem_free(p, 100);
	}
	CHECK(failed > 0 && failed < CALLS);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmguard: the first byte beyond, rounded up to the alignment, faults where it
 * is touched; the slack before that is looked at when it is freed. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>
#include <setjmp.h>

struct access {
	size_t size, at;
	bool write, flip;
};

static void touch(void *argument)
{
	const struct access *access = argument;
	volatile char *p = kmem_alloc(access->size, KM_SLEEP);

	if (access->flip) /* what is there may be any byte */
		p[access->at] = (char)~p[access->at];
	else if (access->write)
		p[access->at] = 1;
	else
		(void)p[access->at];
	kmem_free((void *)p, access->size);
}

/* Guarded objects are aligned to 16 at least. */
static size_t rounded(size_t size)
{
	size_t align = size % 4096 == 0 ? 4096 : size % 64 == 0 ? 64 : 16;

	return (size + align - 1) / align * align;
}

static void expect_fault(struct access access)
{
	struct outcome *outcome = run_child(touch, &access);

	expect_text(outcome, "kma: GUARDFAULT: ");
	expect_text(outcome, "  allocated by");
	CHECK(WIFSIGNALED(outcome->status) &&
	      WTERMSIG(outcome->status) == SIGSEGV);
}

/* --- every size, in this process: its handler is its own, noabort or not ----
 */

static sigjmp_buf landing;
static volatile uintptr_t fault_at;

static void land(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	fault_at = (uintptr_t)info->si_addr;
	siglongjmp(landing, 1);
}

/* Does that access fault there, and does nothing before it? */
static void check_fault(volatile char *p, size_t at, bool write)
{
	fault_at = 0;
	if (sigsetjmp(landing, 1) == 0) {
		if (write)
			p[at] = 1;
		else
			(void)p[at];
		contract_check(0, "it faults", __FILE__, __LINE__);
	}
	CHECK(fault_at == (uintptr_t)p + at);
}

static void check_all_sizes(void)
{
	struct sigaction action = { .sa_sigaction = land,
				    .sa_flags = SA_SIGINFO };
	struct sigaction before;

	CHECK(sigaction(SIGSEGV, &action, &before) == 0);
	for (size_t size = 1; size <= 4096; size++) {
		volatile char *p = kmem_alloc(size, KM_SLEEP);

		(void)p[rounded(size) - 1];
		p[size - 1] = 1;
		check_fault(p, rounded(size), true);
		check_fault(p, rounded(size), false);
		kmem_free((void *)p, size);
	}
	CHECK(sigaction(SIGSEGV, &before, NULL) == 0);
}

static void check_reports(void)
{
	static const size_t sizes[] = { 1,   7,    8,    13,   100,
					500, 2048, 4089, 4095, 4096 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i];
		struct access slack = { size, size, true, true };

		expect_fault((struct access){ size, rounded(size), true });
		expect_fault((struct access){ size, rounded(size), false });
		if (rounded(size) > size)
			EXPECT_REPORT(touch, &slack, "REDZONE", NULL);
	}
}

int main(void)
{
	if (!strstr(getenv("KMA_DEBUG"), "noabort"))
		check_reports();
	check_all_sizes();
	return 0;
}

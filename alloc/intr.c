/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/intr.h"

#include "alloc/report.h"
#include "alloc/text.h"
#include "alloc/thread.h"

#include "kma/kma.h"

__thread int kma_intr_level __attribute__((tls_model("initial-exec")));

void kma_intr_enter(void)
{
	kma_intr_level++;
	if (kma_self)
		kma_thread_special_add(kma_self, KMA_THREAD_INTR);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

void kma_intr_exit(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (--kma_intr_level == 0 && kma_self)
		kma_thread_special_end(kma_self, KMA_THREAD_INTR);
}

int kma_intr_depth(void)
{
	return kma_intr_level;
}

void kma_intr_refuse(const char *function, const char *what)
{
	kma_report(&(struct kma_report){ .code = KMA_ERROR_SLEEPINTR,
					 .function = function,
					 .detail = what });
}

bool kma_flags_fit(unsigned flags, const char *function)
{
	const unsigned known = KMA_SLEEP | KMA_NOSLEEP | KMA_ZERO |
			       KMA_LIMITFAIL | KMA_PANIC | KMA_INTR |
			       KMA_PERSONALITY;
	unsigned way = flags & (KMA_SLEEP | KMA_NOSLEEP);
	struct kma_text text;
	char detail[32];

	if (__builtin_expect((way == KMA_SLEEP || way == KMA_NOSLEEP) &&
				     (flags & ~known) == 0,
			     1))
		return true;
	kma_text_init(&text, detail, sizeof(detail));
	kma_text_hex(&text, flags & ~(unsigned)KMA_PERSONALITY);
	kma_report(&(struct kma_report){ .code = KMA_ERROR_BADFLAGS,
					 .function = function,
					 .detail = detail });
	return false;
}

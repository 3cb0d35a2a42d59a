/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Until leaks.c is there: so that kdbg links. It overrides these. */
#include "kdbg/leaks.h"

__attribute__((weak)) struct err *
leaks_create(struct session *session, struct reach *reach,
	     const struct leaks_options *options, struct leaks **ret)
{
	(void)session, (void)reach, (void)options, (void)ret;
	return err_new(ERR_UNSUPPORTED, "leaks are not grouped yet");
}

__attribute__((weak)) void leaks_destroy(struct leaks *leaks)
{
	(void)leaks;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a command's tables say of it to people. */
#ifndef KDBG_USAGE_H
#define KDBG_USAGE_H

#include "kdbg/dcmd.h"

/* "[cache]::bufctl [-hv] [-c caller] [name ...]". Always terminated. */
void usage_line(const struct dcmd *dcmd, char *buffer, size_t size);

/* "-c, --caller=CALLER" */
void usage_option(const struct option *option, char *buffer, size_t size);

/* The known command or walker that name is most like, or NULL. */
const char *usage_nearest_dcmd(const struct session *session, const char *name);
const char *usage_nearest_walker(const struct session *session,
				 const char *name);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaded, called and unloaded again by dlclose.c. */
#include "corpus/escape.h"

#include <stdlib.h>

void *plugin_keep(void);
void plugin_run(void);

static void *volatile kept; /* gone with the library */

NOINLINE void plugin_run(void)
{
	escape(malloc(72));
}

NOINLINE void *plugin_keep(void)
{
	kept = malloc(56);
	return escape(kept);
}

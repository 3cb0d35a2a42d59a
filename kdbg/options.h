/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words after a command's name, taken apart by its table of options:
 * -dv, -c ARG, -cARG, --name, --name ARG, --name=ARG, and -- to end them.
 */
#ifndef KDBG_OPTIONS_H
#define KDBG_OPTIONS_H

#include "kdbg/dcmd.h"

/* Fill options (dcmd->options_size zeroed bytes); *ret is the index of the
 * first word that is no option. Texts point into argv. */
struct err *options_parse(struct session *session, const struct dcmd *dcmd,
			  int argc, const char *const *argv, void *options,
			  int *ret) MUST_USE;

#endif

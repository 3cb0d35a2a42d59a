/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A target as a file: an ELF core or a dump, which appears under its name when
 * it is complete. */
#ifndef KDBG_TARGET_SAVE_H
#define KDBG_TARGET_SAVE_H

#include "dumpfmt/output.h"
#include "dumpfmt/writer.h"
#include "kdbg/core_writer.h"
#include "kdbg/target.h"

/* stop, unless NULL: once it is set nothing more is written, and there is no
 * file. */
struct err *target_save_core(struct target *target, const char *path,
			     const volatile int *stop,
			     struct core_written *ret) MUST_USE;

/* symbols: with names (target_source.h). */
struct err *target_save_dump(struct target *target, const char *path,
			     enum dump_level level, bool symbols,
			     const struct dump_write_options *options,
			     const volatile int *stop) MUST_USE;

/* Give output its name, or remove it: err, or status (-errno) of the writer. */
struct err *target_save_finish(struct dump_output *output, int status,
			       struct err *err) MUST_USE;

#endif

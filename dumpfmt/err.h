/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors that say where they came from.
 *
 * A function that can fail returns struct err *: NULL for success, else a
 * chain from the outermost context to the cause. Who receives an error owns it
 * and does exactly one of: return it, wrap it, free it. Out of memory is a
 * static error, so reporting a failure cannot fail.
 */
#ifndef DUMPFMT_ERR_H
#define DUMPFMT_ERR_H

#include <stddef.h>

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_code {
	ERR_USAGE = 1,
	ERR_IO,
	ERR_CORRUPT,
	ERR_UNSUPPORTED,
	ERR_NOT_FOUND,
	ERR_NO_MEMORY,
};

struct err;

struct err *err_new(enum err_code code, const char *fmt, ...) MUST_USE
	PRINTF_LIKE(2, 3);

/* Put context before cause. NULL stays NULL, so calls are wrapped in place. */
struct err *err_wrap(struct err *cause, const char *fmt, ...) MUST_USE
	PRINTF_LIKE(2, 3);

enum err_code err_code(const struct err *err);

/* Write "context: context: cause" into buf, cut to fit. */
void err_describe(const struct err *err, char *buf, size_t size);

void err_free(struct err *err);

#endif

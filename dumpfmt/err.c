/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpfmt/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_SIZE = 256 };

struct err {
	struct err *cause;
	enum err_code code;
	char message[MESSAGE_SIZE];
};

static struct err out_of_memory = {
	.code = ERR_NO_MEMORY,
	.message = "out of memory",
};

static PRINTF_LIKE(3, 0) struct err *make(struct err *cause, enum err_code code,
					  const char *fmt, va_list args)
{
	struct err *err = calloc(1, sizeof(*err));

	if (!err) /* lose the context, keep the cause */
		return cause ? cause : &out_of_memory;
	err->cause = cause;
	err->code = code;
	vsnprintf(err->message, sizeof(err->message), fmt, args);
	return err;
}

struct err *err_new(enum err_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct err *err = make(NULL, code, fmt, args);
	va_end(args);
	return err;
}

struct err *err_wrap(struct err *cause, const char *fmt, ...)
{
	va_list args;

	if (!cause)
		return NULL;
	va_start(args, fmt);
	struct err *err = make(cause, cause->code, fmt, args);
	va_end(args);
	return err;
}

enum err_code err_code(const struct err *err)
{
	return err->code;
}

void err_describe(const struct err *err, char *buf, size_t size)
{
	size_t used = 0;

	for (; err && used < size; err = err->cause) {
		int n = snprintf(buf + used, size - used, "%s%s", err->message,
				 err->cause ? ": " : "");
		if (n < 0)
			return;
		used += (size_t)n;
	}
}

void err_free(struct err *err)
{
	while (err && err != &out_of_memory) {
		struct err *cause = err->cause;
		free(err);
		err = cause;
	}
}

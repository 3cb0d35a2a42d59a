/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * C's text as tokens, without comments. Lines of the preprocessor are left
 * out, except that "#define NAME ..." is offered to who reads.
 */
#ifndef KDBG_C_TOKENS_H
#define KDBG_C_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

enum c_token_kind { C_END, C_WORD, C_NUMBER, C_TEXT, C_SIGN, C_DEFINE };

struct c_token {
	enum c_token_kind kind;
	const char *text; /* into what is read; a define: behind the word */
	size_t length;
};

struct c_tokens {
	const char *at;
	unsigned line;
	bool begins_line;     /* only blanks since the last newline */
	struct c_token token; /* the one to look at */
};

void c_tokens_init(struct c_tokens *tokens, const char *text);
void c_tokens_next(struct c_tokens *tokens);

/* Is the token this word or sign? take: then go on. */
bool c_tokens_at(const struct c_tokens *tokens, const char *text);
bool c_tokens_take(struct c_tokens *tokens, const char *text);

/* From an opening bracket to behind the one that closes it. */
void c_tokens_skip_brackets(struct c_tokens *tokens);

#endif

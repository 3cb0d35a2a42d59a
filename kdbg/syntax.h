/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a line means, before anything of it is run.
 *
 *	statement	stage | stage | stage ! shell words
 *	stage		[address] [, count] verb
 *	verb		::name word ...		a command
 *			/format  ?format	memory at the address
 *			=format			the address itself
 *			>name			assignment
 *			(none)			the value alone
 *
 * Types and members in an expression stay text until it is evaluated: what they
 * name is the target's affair.
 *
 * Everything lives in the arena it was parsed into. Spans are offsets into the
 * text that was parsed, so that an error can point.
 */
#ifndef KDBG_SYNTAX_H
#define KDBG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	size_t start, end;
};

enum operation {
	OPERATOR_NONE,
	OPERATOR_LOGICAL_OR,
	OPERATOR_LOGICAL_AND,
	OPERATOR_OR,
	OPERATOR_XOR,
	OPERATOR_AND,
	OPERATOR_EQUAL,
	OPERATOR_UNEQUAL,
	OPERATOR_LESS,
	OPERATOR_LESS_EQUAL,
	OPERATOR_GREATER,
	OPERATOR_GREATER_EQUAL,
	OPERATOR_SHIFT_LEFT,
	OPERATOR_SHIFT_RIGHT,
	OPERATOR_ADD,
	OPERATOR_SUBTRACT,
	OPERATOR_MULTIPLY,
	OPERATOR_DIVIDE,     /* % : / formats */
	OPERATOR_MODULO,     /* mod: what % leaves */
	OPERATOR_ROUND_UP,   /* # : up to a multiple of the right */
	OPERATOR_NEGATE,     /* unary from here on */
	OPERATOR_COMPLEMENT, /* ~ */
	OPERATOR_NOT,        /* # */
	OPERATOR_READ,       /* * : memory */
	OPERATOR_READ_FILE,  /* % : the object file */
	OPERATOR_ADDRESS,    /* &name: of a variable or member */
};

enum expression_kind {
	EXPRESSION_NUMBER,
	EXPRESSION_NAME,     /* a symbol, else a number without a digit first */
	EXPRESSION_VARIABLE, /* <name */
	EXPRESSION_DOT,      /* . */
	EXPRESSION_NEXT,     /* + */
	EXPRESSION_PREVIOUS, /* ^ */
	EXPRESSION_LAST,     /* & */
	EXPRESSION_UNARY,
	EXPRESSION_BINARY,
	EXPRESSION_CAST,   /* (name *)right */
	EXPRESSION_MEMBER, /* left, name: "->next", ".a.b" */
	EXPRESSION_INDEX,  /* left[right] */
	EXPRESSION_CALL,   /* function(arguments) */
};

struct function; /* functions.h */

struct argument {
	const char *text;               /* a type, a member, a string */
	const struct expression *value; /* or an expression */
	const struct argument *next;
};

struct expression {
	enum expression_kind kind;
	enum operation operation;
	struct span span;
	uint64_t number;
	size_t size;                           /* of a read */
	const char *name;                      /* of a symbol or variable */
	const struct expression *left, *right; /* unary: right */
	const struct function *function;
	const struct argument *arguments;
};

/* A word is pieces put together: text, or $[ expression ]. */
struct piece {
	const char *text;
	const struct expression *value;
	const struct piece *next;
};

struct word {
	const struct piece *pieces;
	const struct word *next;
};

struct format_item {
	char letter; /* '"': text */
	uint64_t count;
	const struct expression *computed; /* count as $[ expression ] */
	const char *text;
	const struct expression *value, *mask; /* of a match; mask or NULL */
	struct span span;
	const struct format_item *next;
};

enum stage_kind {
	STAGE_VALUE,
	STAGE_COMMAND,
	STAGE_FORMAT_MEMORY,
	STAGE_FORMAT_FILE,
	STAGE_FORMAT_VALUE,
	STAGE_ASSIGN,
};

struct stage {
	enum stage_kind kind;
	struct span span; /* of the verb and what follows */
	const struct expression *address, *count;
	const char *name; /* of the command or variable */
	size_t size;      /* assignment: bytes kept */
	const struct word *words;
	size_t word_count;
	const struct format_item *items;
	const struct stage *next;
};

struct statement {
	const struct stage *stages; /* NULL: only a shell command */
	const char *shell;          /* or NULL */
	struct span verb; /* from the first verb to the statement's end */
};

#endif

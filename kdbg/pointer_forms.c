/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/pointer_forms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WORD_BITS = 64, VALUE_SIZE = 256 };

static const char *const step_names[STEP_KIND_COUNT] = {
	[STEP_XOR] = "xor", [STEP_ADD] = "add", [STEP_AND] = "and",
	[STEP_SHL] = "shl", [STEP_SHR] = "shr", [STEP_ROL] = "rol",
	[STEP_ROR] = "ror",
};

static struct err *bad_step(const char *text, size_t size)
{
	return err_new(ERR_USAGE,
		       "%.*s: steps are u32 (first), xor=V, add=V, and=V, "
		       "shl=N, shr=N, rol=N, ror=N",
		       (int)size, text);
}

static struct err *parse_step(const char *text, size_t size,
			      pointer_value_fn *evaluate, void *context,
			      struct pointer_forms *ret)
{
	const char *equals = memchr(text, '=', size);
	size_t name = equals ? (size_t)(equals - text) : size;
	char value[VALUE_SIZE];
	int kind = 0;

	if (!equals && size == 3 && memcmp(text, "u32", 3) == 0 &&
	    !ret->step_count && !ret->halves) {
		ret->halves = true;
		return NULL;
	}
	while (kind < STEP_KIND_COUNT &&
	       (strlen(step_names[kind]) != name ||
		memcmp(step_names[kind], text, name) != 0))
		kind++;
	if (!equals || kind == STEP_KIND_COUNT ||
	    size - name - 1 >= sizeof(value))
		return bad_step(text, size);
	if (ret->step_count == POINTER_STEPS_MAX)
		return err_new(ERR_USAGE, "at most %d steps",
			       POINTER_STEPS_MAX);
	snprintf(value, sizeof(value), "%.*s", (int)(size - name - 1),
		 equals + 1);
	ret->steps[ret->step_count].kind = (enum pointer_step_kind)kind;
	struct err *err =
		evaluate(context, value, &ret->steps[ret->step_count].value);
	if (err)
		return err;
	if (kind >= STEP_SHL && ret->steps[ret->step_count].value >= WORD_BITS)
		return err_new(ERR_USAGE,
			       "%.*s: a word has %d bits (numbers are "
			       "hexadecimal; 0t17 is decimal)",
			       (int)size, text, WORD_BITS);
	ret->step_count++;
	return NULL;
}

struct err *pointer_forms_parse(const char *text, pointer_value_fn *evaluate,
				void *context, struct pointer_forms *ret)
{
	struct err *err = NULL;

	while (!err && *text) {
		size_t size = strcspn(text, ",");

		err = parse_step(text, size, evaluate, context, ret);
		text += size + (text[size] == ',');
	}
	return err;
}

bool pointer_forms_equal(const struct pointer_forms *a,
			 const struct pointer_forms *b)
{
	if (a->unaligned != b->unaligned || a->mask != b->mask ||
	    a->halves != b->halves || a->step_count != b->step_count)
		return false;
	for (size_t i = 0; i < a->step_count; i++)
		if (a->steps[i].kind != b->steps[i].kind ||
		    a->steps[i].value != b->steps[i].value)
			return false;
	return true;
}

unsigned pointer_forms_count(const struct pointer_forms *forms)
{
	unsigned count = forms->mask ? 2 : 1;

	if (forms->halves)
		return count + 2;
	return count + (forms->step_count != 0);
}

static uint64_t rotate_left(uint64_t word, uint64_t bits)
{
	return bits ? word << bits | word >> (WORD_BITS - bits) : word;
}

static uint64_t take_steps(const struct pointer_forms *forms, uint64_t word)
{
	for (size_t i = 0; i < forms->step_count; i++) {
		uint64_t value = forms->steps[i].value;

		switch (forms->steps[i].kind) {
		case STEP_XOR:
			word ^= value;
			break;
		case STEP_ADD:
			word += value;
			break;
		case STEP_AND:
			word &= value;
			break;
		case STEP_SHL:
			word <<= value;
			break;
		case STEP_SHR:
			word >>= value;
			break;
		case STEP_ROL:
			word = rotate_left(word, value);
			break;
		case STEP_ROR:
			word = rotate_left(word,
					   (WORD_BITS - value) % WORD_BITS);
			break;
		case STEP_KIND_COUNT:
			break;
		}
	}
	return word;
}

uint64_t pointer_forms_read(const struct pointer_forms *forms, uint64_t word,
			    unsigned form)
{
	if (form == 0)
		return word;
	if (forms->mask && form == 1)
		return word & ~forms->mask;
	form -= forms->mask ? 2 : 1;
	if (forms->halves)
		word = form ? word >> 32 : (uint32_t)word;
	return take_steps(forms, word);
}

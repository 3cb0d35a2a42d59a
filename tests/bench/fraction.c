/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arithmetic on many small numbers that each live on the heap, the load that
 * cfrac is known for: continued fractions of square roots, whose convergents
 * and partial quotients are new numbers at every step.
 *
 *	fraction ROOTS
 *
 * An operation is one term of one root; it allocates about seven numbers.
 */
#include "tests/bench/bench.h"

enum { TERMS = 24 };

struct number {
	unsigned length; /* digits in base 2^32, least significant first */
	uint32_t digits[];
};

static unsigned long roots;
static volatile uint64_t checksum; /* so that nothing is left out */

static struct number *number_create(unsigned length)
{
	struct number *number =
		malloc(sizeof(*number) + length * sizeof(uint32_t));

	if (!number)
		exit(1);
	number->length = length;
	return number;
}

static struct number *number_of(uint32_t value)
{
	struct number *number = number_create(1);

	number->digits[0] = value;
	return number;
}

static struct number *number_scaled(const struct number *number,
				    uint32_t factor)
{
	struct number *product = number_create(number->length + 1);
	uint64_t carry = 0;

	for (unsigned i = 0; i < number->length; i++) {
		carry += (uint64_t)number->digits[i] * factor;
		product->digits[i] = (uint32_t)carry;
		carry >>= 32;
	}
	product->digits[number->length] = (uint32_t)carry;
	product->length -= carry == 0;
	return product;
}

static struct number *number_sum(const struct number *a, const struct number *b)
{
	const struct number *longer = a->length > b->length ? a : b;
	const struct number *shorter = longer == a ? b : a;
	struct number *sum = number_create(longer->length + 1);
	uint64_t carry = 0;

	for (unsigned i = 0; i < longer->length; i++) {
		carry += longer->digits[i];
		carry += i < shorter->length ? shorter->digits[i] : 0;
		sum->digits[i] = (uint32_t)carry;
		carry >>= 32;
	}
	sum->digits[longer->length] = (uint32_t)carry;
	sum->length -= carry == 0;
	return sum;
}

/* factor * a + b, and b is given up. */
static struct number *convergent_next(const struct number *a, struct number *b,
				      uint32_t factor)
{
	struct number *product = number_scaled(a, factor);
	struct number *sum = number_sum(product, b);

	free(product);
	free(b);
	return sum;
}

struct convergent {
	struct number *now, *before;
};

static void convergent_advance(struct convergent *c, uint32_t quotient)
{
	struct number *next = convergent_next(c->now, c->before, quotient);

	c->before = c->now;
	c->now = next;
}

static uint32_t root_of(uint32_t square)
{
	uint32_t root = 0;

	while ((uint64_t)(root + 1) * (root + 1) <= square)
		root++;
	return root;
}

/* sqrt(n) = [a0; a1, a2, ...] by the usual recurrence of m, d and a. */
static void expand(uint32_t n)
{
	uint32_t whole = root_of(n), m = 0, d = 1, a = whole;
	struct convergent p = { number_of(whole), number_of(1) };
	struct convergent q = { number_of(1), number_of(0) };

	for (int i = 0; i < TERMS; i++) {
		m = d * a - m;
		d = (n - m * m) / d;
		if (d == 0) /* a square */
			d = 1;
		a = (whole + m) / d;
		convergent_advance(&p, a);
		convergent_advance(&q, a);
	}
	checksum += p.now->digits[0] ^ q.now->digits[0];
	free(p.now);
	free(p.before);
	free(q.now);
	free(q.before);
}

static void work(unsigned index)
{
	(void)index;
	for (unsigned long i = 0; i < roots; i++)
		expand((uint32_t)(2 + i % 5000));
}

int main(int argc, char **argv)
{
	roots = bench_argument(argv, argc, 1, 100000);
	bench_run(1, roots * TERMS, work);
	return 0;
}

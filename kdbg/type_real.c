/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/type_real.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 64, SIZE_MAX_REAL = 16 };

/* As few digits as tell the number from its neighbours. */
static void put_double(double real, bool single, FILE *stream)
{
	char text[TEXT_SIZE];
	int most = single ? 9 : 17;

	for (int digits = 6; digits <= most; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, real);
		double back = strtod(text, NULL);
		if (single ? (float)back == (float)real : back == real)
			break;
	}
	fputs(text, stream);
}

/* A sign, 5 bits of exponent, 10 of the number. */
static double half(uint16_t bits)
{
	enum { FRACTION = 10, BIAS = 15, EXPONENT_MAX = 31 };
	unsigned exponent = bits >> FRACTION & EXPONENT_MAX;
	unsigned number = bits & ((1U << FRACTION) - 1);
	double value;

	if (exponent == EXPONENT_MAX)
		value = number ? NAN : INFINITY;
	else if (exponent)
		value = ldexp((double)(number | 1U << FRACTION),
			      (int)exponent - BIAS - FRACTION);
	else
		value = ldexp((double)number, 1 - BIAS - FRACTION);
	return bits >> 15 ? -value : value;
}

/* 16 bits may also be the upper half of a float. */
static double brief(const char *name, uint16_t bits)
{
	uint32_t upper = (uint32_t)bits << 16;
	float value;

	if (!name || !strstr(name, "bf16"))
		return half(bits);
	memcpy(&value, &upper, sizeof(value));
	return (double)value;
}

/* A sign, 15 bits of exponent, 112 of the number: whole where the C library
 * can, else as much of it as a long double holds. */
static void put_quad(const unsigned char bytes[SIZE_MAX_REAL], FILE *stream)
{
#if defined __GNUC__ && !defined __clang__
	_Float128 value;
	char text[TEXT_SIZE];

	memcpy(&value, bytes, sizeof(value));
	for (int digits = 33; digits <= 36; digits++) {
		char format[16];

		snprintf(format, sizeof(format), "%%.%dg", digits);
		strfromf128(text, sizeof(text), format, value);
		if (strtof128(text, NULL) == value)
			break;
	}
	fputs(text, stream);
#else
	enum { BIAS = 16383, FRACTION = 112, EXPONENT_MAX = 32767 };
	unsigned __int128 bits;
	long double value;

	memcpy(&bits, bytes, sizeof(bits));
	int exponent = (int)(bits >> FRACTION & EXPONENT_MAX);
	unsigned __int128 one = (unsigned __int128)1 << FRACTION;
	unsigned __int128 number = bits & (one - 1);
	if (exponent == EXPONENT_MAX)
		value = number ? (long double)NAN : (long double)INFINITY;
	else
		value = ldexpl((long double)(exponent ? number | one : number),
			       (exponent ? exponent : 1) - BIAS - FRACTION);
	fprintf(stream, "%.21Lg", bits >> 127 ? -value : value);
#endif
}

struct err *type_real_put(struct session *session,
			  const struct type_place *place, uint64_t size,
			  FILE *stream)
{
	const char *name = type_peel(place->type)->name;
	union {
		uint16_t half;
		float single;
		double real;
		long double extended;
		unsigned char bytes[SIZE_MAX_REAL];
	} value = { .bytes = { 0 } };

	if (size > sizeof(value))
		return err_new(ERR_UNSUPPORTED, "a real of %" PRIu64 " bytes",
			       size);
	struct err *err = type_place_read(session, place, place->address,
					  &value, (size_t)size);
	if (err)
		return err;
	switch (size) {
	case sizeof(value.half):
		put_double(brief(name, value.half), true, stream);
		return NULL;
	case sizeof(value.single):
		put_double((double)value.single, true, stream);
		return NULL;
	case sizeof(value.real):
		put_double(value.real, false, stream);
		return NULL;
	case sizeof(value.extended):
		/* "_Float128", "__float128", "complex _Float128" */
		if (name && strstr(name, "loat128"))
			put_quad(value.bytes, stream);
		else
			fprintf(stream, "%.21Lg", value.extended);
		return NULL;
	default:
		return err_new(ERR_UNSUPPORTED, "a real of %" PRIu64 " bytes",
			       size);
	}
}

/* GNU C's complex integers. */
static struct err *put_integer(struct session *session,
			       const struct type_place *place, uint64_t size,
			       FILE *stream)
{
	const char *name = type_peel(place->type)->name;
	unsigned unused = size < 8 ? 64 - 8 * (unsigned)size : 0;
	uint64_t value = 0;

	if (size > sizeof(value))
		return err_new(ERR_UNSUPPORTED,
			       "an integer of %" PRIu64 " bytes", size);
	struct err *err = type_place_read(session, place, place->address,
					  &value, (size_t)size);
	if (err)
		return err;
	if (strstr(name, "unsigned"))
		fprintf(stream, "%" PRIu64, value);
	else
		fprintf(stream, "%" PRId64,
			(int64_t)(value << unused) >> unused);
	return NULL;
}

static bool is_of_integers(const char *name)
{
	return name && !strstr(name, "loat") && !strstr(name, "double");
}

struct err *type_complex_put(struct session *session,
			     const struct type_place *place, uint64_t size,
			     FILE *stream)
{
	struct err *(*put)(struct session * session,
			   const struct type_place *place, uint64_t size,
			   FILE *stream) =
		is_of_integers(type_peel(place->type)->name) ? put_integer
							     : type_real_put;
	struct type_place imaginary = *place;
	struct err *err = put(session, place, size / 2, stream);

	if (err)
		return err;
	fputs(" + ", stream);
	imaginary.address += size / 2;
	err = put(session, &imaginary, size / 2, stream);
	fputc('i', stream);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings in memory of kmem_alloc's, which NetBSD and illumos have alike.
 * Included by kma/netbsd.h and kma/illumos.h, behind their kmem_alloc and
 * kmem_free, and by nobody else.
 */
#ifndef KMA_KMEM_STRING_H
#define KMA_KMEM_STRING_H

#if !defined(KMA_NETBSD_H) && !defined(KMA_ILLUMOS_H)
#error "include kma/netbsd.h or kma/illumos.h"
#endif

/* What is printed and a NUL, no more: kmem_free(s, strlen(s) + 1) is right as
 * long as the string has its length. NULL: the format could not be printed. */
KMA_DIALECT_VARIADIC __attribute__((format(printf, 1, 0))) char *
kmem_vasprintf(const char *format, va_list arguments)
{
	va_list again;
	char *text;
	int size;

	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (size < 0)
		return NULL;
	text = (char *)kmem_alloc((size_t)size + 1, KM_SLEEP);
	if (text)
		vsnprintf(text, (size_t)size + 1, format, arguments);
	return text;
}

KMA_DIALECT_VARIADIC __attribute__((format(printf, 1, 2))) char *
kmem_asprintf(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = kmem_vasprintf(format, arguments);
	va_end(arguments);
	return text;
}

/* Of its length as it was made; one that was cut is reported (BADSIZE). */
KMA_DIALECT void kmem_strfree(char *string)
{
	if (string)
		kmem_free(string, strlen(string) + 1);
}

#endif

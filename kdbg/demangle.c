/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/demangle.h"

#include <dlfcn.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* Templates make long names; beyond this nobody reads them. As long as what is
 * told of one may be. */
enum { NAME_MAX_SIZE = 16 * 1024 };

static void load(struct demangler *demangler)
{
	demangler->tried = true;
	demangler->library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
	if (!demangler->library)
		return;
	void *found = dlsym(demangler->library, "__cxa_demangle");
	/* POSIX's way from an object pointer to a function pointer. */
	memcpy(&demangler->demangle, &found, sizeof(found));
}

void demangler_deinit(struct demangler *demangler)
{
	if (demangler->library)
		dlclose(demangler->library);
	*demangler = (struct demangler){ 0 };
}

/*
 * Rust's names of old are C++'s with a hash of the crate at the end, which is
 * another in each build, and with what C++ has no letters for as "$LT$" and
 * "..". The newer ones ("_R", v0) are libiberty's to read.
 */
enum { RUST_HASH = 19 }; /* "::h" and 16 digits */

static const struct {
	const char *name;
	char letter;
} rust_letters[] = {
	{ "$SP$", '@' }, { "$BP$", '*' }, { "$RF$", '&' }, { "$LT$", '<' },
	{ "$GT$", '>' }, { "$LP$", '(' }, { "$RP$", ')' }, { "$C$", ',' },
};

static bool is_rust(const char *text, size_t length)
{
	const char *hash = text + length - (length > RUST_HASH ? RUST_HASH : 0);

	return strncmp(hash, "::h", 3) == 0 &&
	       strspn(hash + 3, "0123456789abcdef") == RUST_HASH - 3;
}

/* What stands for one letter at text: its length; 0: nothing. */
static size_t rust_letter(const char *text, char *letter)
{
	char *end;

	for (size_t i = 0; i < sizeof(rust_letters) / sizeof(rust_letters[0]);
	     i++) {
		size_t size = strlen(rust_letters[i].name);

		if (strncmp(text, rust_letters[i].name, size) == 0) {
			*letter = rust_letters[i].letter;
			return size;
		}
	}
	if (strncmp(text, "$u", 2) != 0)
		return 0;
	unsigned long code = strtoul(text + 2, &end, 16);
	if (*end != '$' || code < ' ' || code > '~')
		return 0;
	*letter = (char)code;
	return (size_t)(end + 1 - text);
}

/* In place: it only gets shorter. */
static void make_rust(char *text, size_t length)
{
	char *out = text;

	text[length - RUST_HASH] = '\0';
	for (const char *in = text; *in;) {
		bool first = in == text || in[-1] == ':';
		size_t size;

		if (first && strncmp(in, "_$", 2) == 0) {
			in++; /* a name may not begin with '$' */
		} else if (strncmp(in, "..", 2) == 0) {
			*out++ = ':';
			*out++ = ':';
			in += 2;
		} else if ((size = rust_letter(in, out)) != 0) {
			out++;
			in += size;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

bool is_mangled(const char *name)
{
	return strncmp(name, "_Z", 2) == 0 || strncmp(name, "_R", 2) == 0;
}

struct plain_name {
	jmp_buf too_long;
	size_t length;
	char text[NAME_MAX_SIZE];
};

/*
 * A hostile name can refer back to its own parts so that a few hundred letters
 * are told for years, and libiberty cannot be asked to stop: its frames, none
 * of ours, are left behind.
 */
static void append(const char *text, size_t length, void *opaque)
{
	struct plain_name *plain = opaque;

	if (length >= sizeof(plain->text) - plain->length)
		longjmp(plain->too_long, 1);
	memcpy(plain->text + plain->length, text, length);
	plain->length += length;
}

static bool make_plain(const char *name, struct plain_name *plain)
{
	plain->length = 0;
	if (setjmp(plain->too_long) ||
	    !rust_demangle_callback(name, 0, append, plain))
		return false;
	plain->text[plain->length] = '\0';
	return true;
}

static char *demangle_rust(const char *name)
{
	struct plain_name *plain = malloc(sizeof(*plain));
	char *text =
		plain && make_plain(name, plain) ? strdup(plain->text) : NULL;

	free(plain);
	return text;
}

char *demangle(struct demangler *demangler, const char *name)
{
	int status = -1;

	if (!is_mangled(name) || strnlen(name, NAME_MAX_SIZE) == NAME_MAX_SIZE)
		return NULL;
	if (name[1] == 'R')
		return demangle_rust(name);
	if (!demangler->tried)
		load(demangler);
	if (!demangler->demangle)
		return NULL;
	char *text = demangler->demangle(name, NULL, NULL, &status);
	if (text && status != 0) {
		free(text);
		text = NULL;
	}
	if (text && is_rust(text, strlen(text)))
		make_rust(text, strlen(text));
	return text;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * C++ names, and Rust's, as a person writes them. The C++ runtime knows how; it
 * is loaded when the first mangled name turns up, so that kdbg does not depend
 * on it. Where there is none, names stay as they are, but for those of Rust
 * that are nobody else's (v0).
 */
#ifndef KDBG_DEMANGLE_H
#define KDBG_DEMANGLE_H

#include <stdbool.h>

struct demangler {
	bool tried;
	void *library;
	char *(*demangle)(const char *name, char *buffer, unsigned long *size,
			  int *status);
};

void demangler_deinit(struct demangler *demangler);

/* Does it look like one? */
bool is_mangled(const char *name);

/* To be freed; NULL: not a mangled name, or none can be read. */
char *demangle(struct demangler *demangler, const char *name);

#endif

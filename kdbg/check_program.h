/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a program would not run under libkma, by what its file is. */
#ifndef KDBG_CHECK_PROGRAM_H
#define KDBG_CHECK_PROGRAM_H

#include <stdbool.h>

/* Would it refuse to start behind a preload? It is found as execvp finds it. */
bool check_program_refuses(const char *name);

/* A phrase for people, "it is statically linked"; never NULL. */
const char *check_program_silence(const char *path);

#endif

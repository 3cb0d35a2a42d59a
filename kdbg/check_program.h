/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a program would not run under libkma, by what its file is. */
#ifndef KDBG_CHECK_PROGRAM_H
#define KDBG_CHECK_PROGRAM_H

/* A phrase for people, "it is statically linked"; never NULL. */
const char *check_program_silence(const char *path);

#endif

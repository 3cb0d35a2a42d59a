/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_TERMINAL_H
#define KDBG_TERMINAL_H

enum { WIDE_COLUMNS = 132 };

/* Of the terminal that standard output is; 0: it is none, or does not tell. */
unsigned terminal_columns(void);

#endif

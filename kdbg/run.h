/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kdbg run: a program under libkma, and its dump when it ends. */
#ifndef KDBG_RUN_H
#define KDBG_RUN_H

/* argv[0] is "run". Returns the exit status. */
int run_main(int argc, char **argv);

#endif

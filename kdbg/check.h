/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kdbg check: run a program and all it starts; fail on leaks and heap errors.
 */
#ifndef KDBG_CHECK_H
#define KDBG_CHECK_H

/* argv[0] is "check". Returns the exit status. */
int check_main(int argc, char **argv);

#endif

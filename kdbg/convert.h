/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_CONVERT_H
#define KDBG_CONVERT_H

/* kdbg convert: a dump becomes an ELF core, a core a dump. */
int convert_main(int argc, char **argv);

/* kdbg dump: a living process becomes a dump. */
int dump_main(int argc, char **argv);

#endif

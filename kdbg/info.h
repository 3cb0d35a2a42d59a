/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_INFO_H
#define KDBG_INFO_H

/* kdbg info: what a dump or core is made of, and whether it is whole. */
int info_main(int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_EXIT_STATUS_H
#define KDBG_EXIT_STATUS_H

enum {
	STATUS_FINE = 0,
	STATUS_FAILED = 1, /* a command, or opening the target */
	STATUS_USAGE = 2,
	STATUS_FINDINGS = 23, /* a damaged heap; leaks, in a check */
};

#endif

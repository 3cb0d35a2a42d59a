/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The half of crash.c that is C++. */
#ifndef TESTS_CRASH_H
#define TESTS_CRASH_H

#ifdef __cplusplus
extern "C" {
#endif

int crash_cxx(int n);

#ifdef __cplusplus
}
#endif

#endif

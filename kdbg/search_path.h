/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a file that is named without a directory may lie. */
#ifndef KDBG_SEARCH_PATH_H
#define KDBG_SEARCH_PATH_H

/* The name itself if there is such a file or it has a directory, else the first
 * of DIR:DIR (NULL: none) that has it. Free it; NULL: no memory. */
char *search_path(const char *directories, const char *name);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What supervised.c and supervised_children.c have of each other. */
#ifndef TESTS_SUPERVISED_H
#define TESTS_SUPERVISED_H

#include <stdbool.h>

extern char **program; /* argv */

void run_actions(char **words);

/* The actions that make a child, which runs list. False: it is another. */
bool make_child(const char *action, char **list);
/* Pointers that cannot be read, here and in a child that has our memory. */
void exec_unreadable(void);

#endif

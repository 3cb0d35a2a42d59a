/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions of many frame shapes that call on; each returns what they call. */
#ifndef TESTS_UNWIND_PATHS_H
#define TESTS_UNWIND_PATHS_H

#ifdef __cplusplus
extern "C" {
#endif

/* What is still to be called, and what at the bottom. */
struct path {
	const unsigned char *step;
	int left;
	int (*bottom)(void *argument);
	void *argument;
};

int path_call(struct path *path);

/* In unwind_paths_cxx.cpp: below a try block, from a destructor that runs as
 * an exception passes, from a catch block. */
int path_try(struct path *path);
int path_destructor(struct path *path);
int path_catch(struct path *path);

/* The next of a sequence that is the same each time. */
unsigned char random_byte(void);

#ifdef __cplusplus
}
#endif

#endif

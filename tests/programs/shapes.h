/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_SHAPES_H
#define TESTS_SHAPES_H

#ifdef __cplusplus
extern "C"
#endif
	void
	make_shapes(void);

#endif

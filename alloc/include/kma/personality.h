/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernels' calls have the same names, other arguments and other flags, so
 * a translation unit has one personality: the header that it includes first
 * says which, and another is refused.
 */
#ifndef KMA_PERSONALITY_H
#define KMA_PERSONALITY_H

/*
 * Inline, and no warning for those that a unit does not use. Without
 * optimisation too: who called the library is whoever called these. What takes
 * arguments by the dozen cannot be.
 */
#define KMA_DIALECT          static inline __attribute__((unused, always_inline))
#define KMA_DIALECT_VARIADIC static inline __attribute__((unused))

#endif

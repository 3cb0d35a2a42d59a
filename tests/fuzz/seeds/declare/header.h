#ifndef X
#define X 1
#include <stdio.h>
#define LEN (4 * 2)
extern "C" {
typedef unsigned int u32;
typedef int (*compare_t)(const void *, const void *);
struct fwd;
enum mode { M_A, M_B = 1 << 3, M_C, M_NEG = -1 };
struct rec {
	struct rec *next; /* link */
	u32 id : 5, kind : 12, : 0;
	enum mode mode;
	char name[LEN];
	union { int i; float f; struct { short lo, hi; }; };
	compare_t cmp;
	int (*fns[2])(int), grid[2][3];
	struct fwd *fwd;
#define INNER 3
	long tail[INNER] __attribute__((aligned(8)));
};
struct __attribute__((packed)) pk { char a; int b; long c : 20; unsigned short d; };
struct pk2 { char a; long b; } __attribute__((packed, aligned(4)));
struct fwd { double d; struct pk p; long double ld; };
static inline int f(struct rec *r) { return r->id ? 1 : 0; }
extern FILE *nothing;
int proto(struct rec *, unknown_t x);
typedef struct { int n; int items[]; } flex_t, *flex_p;
_Static_assert(sizeof(int) == 4, "x");
}
#endif

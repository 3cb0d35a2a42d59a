#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialects' headers stand alone, in C and in C++, and exclude each other.

Usage: dialects.py INCLUDE CC CXX, where a compiler may be several words, such
as "ccache cc". A unit that includes one header, and nothing
else, may use every signature of it; a unit that includes two is refused.
"""
import subprocess
import sys
import tempfile

NETBSD = """
void *(*a1)(size_t, km_flag_t) = kmem_alloc;
void *(*a2)(size_t, km_flag_t) = kmem_zalloc;
void (*a3)(void *, size_t) = kmem_free;
void *(*a4)(size_t, km_flag_t) = kmem_intr_alloc;
void *(*a5)(size_t, km_flag_t) = kmem_intr_zalloc;
void (*a6)(void *, size_t) = kmem_intr_free;
char *(*a7)(const char *, ...) = kmem_asprintf;
size_t (*a8)(size_t) = kmem_roundup_size;
char *(*a9)(const char *, size_t *, km_flag_t) = kmem_strdupsize;
void (*a10)(char *) = kmem_strfree;
void (*a11)(void) = kmem_init;
void *(*a12)(size_t, void *, size_t, km_flag_t) = kmem_tmpbuf_alloc;
void (*a13)(void *, size_t, void *) = kmem_tmpbuf_free;
char *(*a14)(const char *, km_flag_t) = kmem_strdup;
char *(*a15)(const char *, size_t, km_flag_t) = kmem_strndup;
bool (*b13)(struct pool **) = pool_drain;
void (*b14)(struct pool *, const char *, void (*)(const char *, ...)) = pool_printit;
void (*b15)(const char *, void (*)(const char *, ...)) = pool_printall;
void (*b16)(uintptr_t, void (*)(const char *, ...)) = pool_whatis;
unsigned (*b17)(struct pool *) = pool_nget;
unsigned (*b18)(struct pool *) = pool_nput;
void (*c14)(pool_cache_t, size_t, unsigned, unsigned, unsigned, const char *,
	struct pool_allocator *, int, int (*)(void *, void *, int),
	void (*)(void *, void *), void *) = pool_cache_bootstrap;
void (*c15)(pool_cache_t) = pool_cache_bootstrap_destroy;
void (*c16)(pool_cache_t, int) = pool_cache_prime;
void (*c17)(struct cpu_info *) = pool_cache_cpu_init;
vmem_t *(*d10)(vmem_t *, const char *, vmem_addr_t, vmem_size_t, vmem_size_t,
	vmem_import_t *, vmem_release_t *, vmem_t *, vmem_size_t, vm_flag_t, int) = vmem_init;
void (*d11)(uintptr_t, const char *, void (*)(const char *, ...)) = vmem_print;
void (*b1)(struct pool *, size_t, unsigned, unsigned, int, const char *,
	struct pool_allocator *, int) = pool_init;
void (*b2)(struct pool *) = pool_destroy;
void *(*b3)(struct pool *, int) = pool_get;
void (*b4)(struct pool *, void *) = pool_put;
int (*b5)(struct pool *, int) = pool_prime;
void (*b6)(struct pool *, int) = pool_setlowat;
void (*b7)(struct pool *, int) = pool_sethiwat;
void (*b8)(struct pool *, int, const char *, int) = pool_sethardlimit;
void (*b9)(struct pool *, void (*)(void *, int), void *) = pool_set_drain_hook;
int (*b10)(struct pool *) = pool_reclaim;
int (*b11)(struct pool *, const char *) = pool_chk;
struct pool_allocator *b12[] = { &pool_allocator_kmem, &pool_allocator_nointr,
	&pool_allocator_meta };
pool_cache_t (*c1)(size_t, unsigned, unsigned, unsigned, const char *,
	struct pool_allocator *, int, int (*)(void *, void *, int),
	void (*)(void *, void *), void *) = pool_cache_init;
void (*c2)(pool_cache_t) = pool_cache_destroy;
void *(*c3)(pool_cache_t, int) = pool_cache_get;
void (*c4)(pool_cache_t, void *) = pool_cache_put;
void *(*c5)(pool_cache_t, int, paddr_t *) = pool_cache_get_paddr;
void (*c6)(pool_cache_t, void *, paddr_t) = pool_cache_put_paddr;
void (*c7)(pool_cache_t, void *) = pool_cache_destruct_object;
void (*c8)(pool_cache_t) = pool_cache_invalidate;
bool (*c9)(pool_cache_t) = pool_cache_reclaim;
void (*c10)(pool_cache_t, int) = pool_cache_setlowat;
void (*c11)(pool_cache_t, int) = pool_cache_sethiwat;
void (*c12)(pool_cache_t, int, const char *, int) = pool_cache_sethardlimit;
void (*c13)(pool_cache_t, void (*)(void *, int), void *) = pool_cache_set_drain_hook;
vmem_t *(*d1)(const char *, vmem_addr_t, vmem_size_t, vmem_size_t, vmem_import_t *,
	vmem_release_t *, vmem_t *, vmem_size_t, vm_flag_t, int) = vmem_create;
vmem_t *(*d2)(const char *, vmem_addr_t, vmem_size_t, vmem_size_t, vmem_ximport_t *,
	vmem_release_t *, vmem_t *, vmem_size_t, vm_flag_t, int) = vmem_xcreate;
int (*d3)(vmem_t *, vmem_addr_t, vmem_size_t, vm_flag_t) = vmem_add;
int (*d4)(vmem_t *, vmem_size_t, vm_flag_t, vmem_addr_t *) = vmem_alloc;
void (*d5)(vmem_t *, vmem_addr_t, vmem_size_t) = vmem_free;
int (*d6)(vmem_t *, vmem_size_t, vmem_size_t, vmem_size_t, vmem_size_t, vmem_addr_t,
	vmem_addr_t, vm_flag_t, vmem_addr_t *) = vmem_xalloc;
void (*d7)(vmem_t *, vmem_addr_t, vmem_size_t) = vmem_xfree;
void (*d8)(vmem_t *) = vmem_destroy;
vmem_size_t (*d9)(vmem_t *, int) = vmem_size;
int (*d12)(vmem_t *, vmem_addr_t, vmem_size_t, vm_flag_t) = vmem_xalloc_addr;
void (*d13)(vmem_t *) = vmem_xfreeall;
void (*d14)(vmem_t *) = vmem_subsystem_init;
void (*d15)(void) = vmem_rehash_start;
vmem_t *arenas(int);
vmem_t *arenas(int i) { return i ? kmem_arena : i > 1 ? kmem_va_arena : kmem_meta_arena; }
unsigned (*c18)(pool_cache_t) = pool_cache_nget;
unsigned (*c19)(pool_cache_t) = pool_cache_nput;
unsigned (*b19)(void) = pool_totalpages;
unsigned (*b20)(void) = pool_totalpages_locked;
POOL_INIT(early, 100, 0, 0, 0, "early", NULL, IPL_NONE);
vaddr_t (*e1)(struct vm_map *, vsize_t, vsize_t, uvm_flag_t) = uvm_km_alloc;
void (*e2)(struct vm_map *, vaddr_t, vsize_t, uvm_flag_t) = uvm_km_free;
struct vm_map *(*e3)(struct vm_map *, vaddr_t *, vaddr_t *, vsize_t, int, bool,
	struct vm_map *) = uvm_km_suballoc;
int (*e4)(vmem_t *, vmem_size_t, vm_flag_t, vmem_addr_t *) = uvm_km_kmem_alloc;
void (*e5)(vmem_t *, vmem_addr_t, size_t) = uvm_km_kmem_free;
bool (*e6)(void) = uvm_km_va_starved_p;
percpu_t *(*f1)(size_t) = percpu_alloc;
void (*f2)(percpu_t *, size_t) = percpu_free;
void *(*f3)(percpu_t *) = percpu_getref;
void (*f4)(percpu_t *) = percpu_putref;
void (*f5)(percpu_t *, percpu_callback_t, void *) = percpu_foreach;
"""
NETBSD10 = """
vmem_t *(*d1)(const char *, vmem_addr_t, vmem_size_t, vmem_size_t,
	int (*)(void *, vmem_size_t, vm_flag_t, vmem_addr_t *),
	void (*)(void *, vmem_addr_t, vmem_size_t), void *, vmem_size_t, vm_flag_t, int) = vmem_create;
vmem_t *(*d2)(const char *, vmem_addr_t, vmem_size_t, vmem_size_t,
	int (*)(void *, vmem_size_t, vmem_size_t *, vm_flag_t, vmem_addr_t *),
	void (*)(void *, vmem_addr_t, vmem_size_t), void *, vmem_size_t, vm_flag_t, int) = vmem_xcreate;
"""
NETBSD_MALLOC = """
static MALLOC_DEFINE(M_FOO, "foo", "buffers of foo");
void use(void);
void use(void)
{
	void *p = malloc(10, M_FOO, M_WAITOK | M_ZERO);
	p = realloc(p, 20, M_FOO, M_NOWAIT | M_CANFAIL);
	free(p, M_FOO);
	free(malloc(10, M_DEVBUF, M_WAITOK), M_DEVBUF);
	kmem_free(kmem_alloc(10, KM_SLEEP), 10);
	malloc_type_attach(M_FOO), malloc_type_detach(M_FOO);
}
struct malloc_type *types[] = { M_DEVBUF, M_DMAMAP, M_FREE, M_PCB, M_SOFTINTR, M_TEMP };
"""
ILLUMOS = """
void *(*a1)(size_t, int) = kmem_alloc;
void *(*a2)(size_t, int) = kmem_zalloc;
void (*a3)(void *, size_t) = kmem_free;
void *(*a4)(size_t, size_t *, int) = kmem_alloc_tryhard;
kmem_cache_t *(*b1)(const char *, size_t, size_t, int (*)(void *, void *, int),
	void (*)(void *, void *), void (*)(void *), void *, vmem_t *, int) = kmem_cache_create;
void (*b2)(kmem_cache_t *, kmem_cbrc_t (*)(void *, void *, size_t, void *)) = kmem_cache_set_move;
void (*b3)(kmem_cache_t *, void *) = kmem_cache_move_notify;
void (*b4)(kmem_cache_t *) = kmem_cache_destroy;
void *(*b5)(kmem_cache_t *, int) = kmem_cache_alloc;
void (*b6)(kmem_cache_t *, void *) = kmem_cache_free;
uint64_t (*b7)(kmem_cache_t *, const char *) = kmem_cache_stat;
void (*b8)(kmem_cache_t *) = kmem_cache_reap_now;
void (*b9)(void) = kmem_reap;
size_t (*b10)(void) = kmem_avail;
char *(*b11)(const char *, ...) = kmem_asprintf;
void (*b12)(char *) = kmem_strfree;
boolean_t (*b13)(void) = kmem_cache_reap_active;
void (*b14)(void) = kmem_reap_idspace;
int (*b15)(void) = kmem_debugging;
size_t (*b16)(void) = kmem_maxavail;
void (*b17)(kmem_cache_t *) = kmem_cache_reap_soon;
vmem_t *(*d1)(const char *, void *, size_t, size_t, vmem_alloc_t *, vmem_free_t *, vmem_t *,
	size_t, int) = vmem_create;
vmem_t *(*d2)(const char *, void *, size_t, size_t, vmem_ximport_t *, vmem_free_t *, vmem_t *,
	size_t, int) = vmem_xcreate;
void (*d3)(vmem_t *) = vmem_destroy;
void *(*d4)(vmem_t *, size_t, int) = vmem_alloc;
void (*d5)(vmem_t *, void *, size_t) = vmem_free;
void *(*d6)(vmem_t *, size_t, size_t, size_t, size_t, void *, void *, int) = vmem_xalloc;
void (*d7)(vmem_t *, void *, size_t) = vmem_xfree;
void *(*d8)(vmem_t *, void *, size_t, int) = vmem_add;
int (*d9)(vmem_t *, void *, size_t) = vmem_contains;
void (*d10)(vmem_t *, int, void (*)(void *, void *, size_t), void *) = vmem_walk;
size_t (*d11)(vmem_t *, int) = vmem_size;
id_space_t *(*e1)(const char *, id_t, id_t) = id_space_create;
void (*e2)(id_space_t *) = id_space_destroy;
void (*e3)(id_space_t *, id_t, id_t) = id_space_extend;
id_t (*e4)(id_space_t *) = id_alloc;
id_t (*e5)(id_space_t *) = id_alloc_nosleep;
id_t (*e6)(id_space_t *) = id_allocff;
id_t (*e7)(id_space_t *) = id_allocff_nosleep;
id_t (*e8)(id_space_t *, id_t) = id_alloc_specific_nosleep;
void (*e9)(id_space_t *, id_t) = id_free;
char *(*e10)(const char *) = kmem_strdup;
int valid(void *);
int valid(void *p) { POINTER_INVALIDATE(&p); return POINTER_IS_VALID(p) + (VM_FLAGS & VM_NORELOC) + (int)(VMC_FLAGS & KM_VMFLAGS); }
"""
BSD386 = """
void use(void);
void use(void) { void *p = malloc(10, M_TEMP, M_WAITOK); free(p, M_TEMP); bsd_malloc_limit(M_MBUF, 1); }
vm_offset_t (*a1)(vm_map_t, vm_size_t, int) = kmem_alloc;
void (*a2)(vm_map_t, vm_offset_t, vm_size_t) = kmem_free;
vm_map_t (*a3)(vm_size_t, boolean_t) = kmem_suballoc;
"""
FREEBSD = """
MALLOC_DECLARE(M_FOO);
MALLOC_DEFINE(M_FOO, "foo", "buffers of foo");
void use(void);
void use(void)
{
	void *p = malloc(10, M_FOO, M_WAITOK | M_ZERO);
	p = realloc(p, 20, M_FOO, M_NOWAIT);
	free(p, M_FOO);
	free(mallocarray(3, 4, M_FOO, M_WAITOK), M_FOO);
	p = malloc_aligned(100, 256, M_FOO, M_WAITOK);
	if (malloc_usable_size(p) >= 100)
		p = reallocf(p, 200, M_FOO, M_NOWAIT);
	zfree(p, M_FOO);
	p = malloc_domainset(10, M_TEMP, DOMAINSET_PREF(1), M_WAITOK);
	free_domain(p, M_TEMP);
	p = malloc_domainset_aligned(10, 64, M_DEVBUF, DOMAINSET_RR(), M_WAITOK | M_NEVERFREED);
	free(p, M_DEVBUF);
	if (!WOULD_OVERFLOW(2, 3))
		free(mallocarray_domainset(2, 3, M_IOV, DOMAINSET_FIXED(0), M_WAITOK), M_IOV);
	free(malloc_exec(10, M_CACHE, M_WAITOK), M_CACHE);
	free(malloc_domainset_exec(10, M_CACHE, NULL, M_WAITOK), M_CACHE);
}
void *(*a1)(unsigned long, struct malloc_type *, int, vm_paddr_t, vm_paddr_t, unsigned long,
	vm_paddr_t) = contigmalloc;
void (*a2)(void *, unsigned long, struct malloc_type *) = contigfree;
void *(*a3)(unsigned long, struct malloc_type *, struct domainset *, int, vm_paddr_t, vm_paddr_t,
	unsigned long, vm_paddr_t) = contigmalloc_domainset;
uma_zone_t (*b1)(const char *, size_t, uma_ctor, uma_dtor, uma_init, uma_fini, size_t, uint32_t) = uma_zcreate;
void (*b2)(uma_zone_t) = uma_zdestroy;
void *(*b3)(uma_zone_t, void *, int) = uma_zalloc_arg;
void *(*b4)(uma_zone_t, int) = uma_zalloc;
void (*b5)(uma_zone_t, void *, void *) = uma_zfree_arg;
void (*b6)(uma_zone_t, void *) = uma_zfree;
void (*b7)(uma_zone_t, int) = uma_prealloc;
int (*b8)(uma_zone_t, int) = uma_zone_set_max;
int (*b9)(uma_zone_t) = uma_zone_get_max;
int (*b10)(uma_zone_t) = uma_zone_get_cur;
void (*b11)(uma_zone_t, const char *) = uma_zone_set_warning;
void (*b12)(uma_zone_t, int) = uma_zone_reclaim;
void (*b13)(uma_zone_t, int) = uma_zone_reserve;
void (*b14)(int) = uma_reclaim;
vmem_t *(*d1)(const char *, vmem_addr_t, vmem_size_t, vmem_size_t, vmem_size_t, int) = vmem_create;
vmem_t *(*d2)(vmem_t *, const char *, vmem_addr_t, vmem_size_t, vmem_size_t, vmem_size_t, int) = vmem_init;
void (*d3)(vmem_t *) = vmem_destroy;
void (*d4)(vmem_t *, vmem_import_t *, vmem_release_t *, void *, vmem_size_t) = vmem_set_import;
void (*d5)(vmem_t *, vmem_size_t) = vmem_set_limit;
void (*d6)(vmem_t *, vmem_reclaim_t *) = vmem_set_reclaim;
int (*d7)(vmem_t *, vmem_size_t, int, vmem_addr_t *) = vmem_alloc;
void (*d8)(vmem_t *, vmem_addr_t, vmem_size_t) = vmem_free;
int (*d9)(vmem_t *, vmem_size_t, vmem_size_t, vmem_size_t, vmem_size_t, vmem_addr_t, vmem_addr_t, int,
	vmem_addr_t *) = vmem_xalloc;
void (*d10)(vmem_t *, vmem_addr_t, vmem_size_t) = vmem_xfree;
int (*d11)(vmem_t *, vmem_addr_t, vmem_size_t, int) = vmem_add;
vmem_size_t (*d12)(vmem_t *, vmem_size_t) = vmem_roundup_size;
vmem_size_t (*d13)(vmem_t *, int) = vmem_size;
void (*d14)(uintptr_t, int (*)(const char *, ...)) = vmem_whatis;
void (*d15)(uintptr_t, const char *, int (*)(const char *, ...)) = vmem_print;
void (*d16)(const char *, int (*)(const char *, ...)) = vmem_printall;
"""
UNITS = {
    "kma/netbsd.h": ("", NETBSD),
    "kma/netbsd.h NetBSD 10": ("#define KMA_NETBSD_10\n", NETBSD10),
    "kma/netbsd_malloc.h": ("", NETBSD_MALLOC),
    "kma/illumos.h": ("", ILLUMOS),
    "kma/bsd_malloc.h": ("", BSD386),
    "kma/bsd_malloc.h FreeBSD": ("#define KMA_FREEBSD\n", FREEBSD),
    "kma/kma.h": ("", "void *(*a)(size_t, unsigned) = kma_alloc;"),
    "kma/types.h": ("", "struct kma_type *(*a)(int) = kma_type_numbered;"),
    "kma/space.h": ("", "struct kma_map *(*a)(void) = kma_map_root;"),
    "kma/vmem.h": ("", "void (*a)(struct kma_vmem *) = kma_vmem_destroy;"),
}
DIALECTS = ["kma/netbsd.h", "kma/illumos.h", "kma/bsd_malloc.h"]


def compiles(compiler, include, text, suffix):
    with tempfile.NamedTemporaryFile("w", suffix=suffix) as source:
        source.write(text)
        source.flush()
        run = subprocess.run([*compiler, "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I",
                              include, source.name], capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stderr


def main():
    include, cc, cxx = sys.argv[1:]
    wrong = []
    for compiler, suffix in (([*cc.split(), "-std=gnu11"], ".c"),
                             ([*cxx.split(), "-std=c++17"], ".cc")):
        for name, (before, body) in UNITS.items():
            fits, told = compiles(compiler, include,
                                  f"{before}#include <{name.split()[0]}>\n{body}", suffix)
            if not fits:
                wrong.append(f"{name} as {suffix}:\n{told}")
        for first in DIALECTS:
            for second in DIALECTS:
                text = f"#include <{first}>\n#include <{second}>\n"
                fits, told = compiles(compiler, include, text, suffix)
                if fits != (first == second) or (not fits and "one personality" not in told):
                    wrong.append(f"{first} and {second} as {suffix}: {told}")
    sys.exit("\n".join(wrong) or 0)


main()

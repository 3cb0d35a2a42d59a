/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands and walkers kdbg has. A new one is a file beside this, a line
 * here and lines in table.c and meson.build. */
#ifndef KDBG_DCMDS_DCMDS_H
#define KDBG_DCMDS_DCMDS_H

#include "kdbg/dcmd.h"

extern const struct dcmd *const dcmd_table[];     /* NULL-terminated */
extern const struct walker *const walker_table[]; /* NULL-terminated */

extern const struct dcmd dcmd_allocdby;
extern const struct dcmd dcmd_array;
extern const struct dcmd dcmd_attach;
extern const struct dcmd dcmd_auxv;
extern const struct dcmd dcmd_bufctl;
extern const struct dcmd dcmd_cat;
extern const struct dcmd dcmd_count;
extern const struct dcmd dcmd_dcmds;
extern const struct dcmd dcmd_dem;
extern const struct dcmd dcmd_diff;
extern const struct dcmd dcmd_dis;
extern const struct dcmd dcmd_dmods;
extern const struct dcmd dcmd_doctor;
extern const struct dcmd dcmd_dump;
extern const struct dcmd dcmd_echo;
extern const struct dcmd dcmd_enum;
extern const struct dcmd dcmd_eval;
extern const struct dcmd dcmd_findleaks;
extern const struct dcmd dcmd_formats;
extern const struct dcmd dcmd_fpregs;
extern const struct dcmd dcmd_freedby;
extern const struct dcmd dcmd_functions;
extern const struct dcmd dcmd_gcore;
extern const struct dcmd dcmd_getenv;
extern const struct dcmd dcmd_grep;
extern const struct dcmd dcmd_head;
extern const struct dcmd dcmd_help;
extern const struct dcmd dcmd_kma_error;
extern const struct dcmd dcmd_kmalog;
extern const struct dcmd dcmd_kmastat;
extern const struct dcmd dcmd_kmausers;
extern const struct dcmd dcmd_kmem_cache;
extern const struct dcmd dcmd_kmem_log;
extern const struct dcmd dcmd_kmem_slabs;
extern const struct dcmd dcmd_kmem_status;
extern const struct dcmd dcmd_kmem_verify;
extern const struct dcmd dcmd_kmguard;
extern const struct dcmd dcmd_list;
extern const struct dcmd dcmd_load;
extern const struct dcmd dcmd_log;
extern const struct dcmd dcmd_malloctypes;
extern const struct dcmd dcmd_map;
extern const struct dcmd dcmd_mappings;
extern const struct dcmd dcmd_nm;
extern const struct dcmd dcmd_nmadd;
extern const struct dcmd dcmd_nmdel;
extern const struct dcmd dcmd_objects;
extern const struct dcmd dcmd_offsetof;
extern const struct dcmd dcmd_percpu;
extern const struct dcmd dcmd_pool;
extern const struct dcmd dcmd_poolcache;
extern const struct dcmd dcmd_pools;
extern const struct dcmd dcmd_print;
extern const struct dcmd dcmd_printf;
extern const struct dcmd dcmd_quit;
extern const struct dcmd dcmd_radix;
extern const struct dcmd dcmd_refs;
extern const struct dcmd dcmd_regs;
extern const struct dcmd dcmd_release;
extern const struct dcmd dcmd_retained;
extern const struct dcmd dcmd_set;
extern const struct dcmd dcmd_siginfo;
extern const struct dcmd dcmd_sizeof;
extern const struct dcmd dcmd_sort;
extern const struct dcmd dcmd_source;
extern const struct dcmd dcmd_stack;
extern const struct dcmd dcmd_stack_verbose;
extern const struct dcmd dcmd_stacks;
extern const struct dcmd dcmd_status;
extern const struct dcmd dcmd_stop;
extern const struct dcmd dcmd_sum;
extern const struct dcmd dcmd_tail;
extern const struct dcmd dcmd_tee;
extern const struct dcmd dcmd_term;
extern const struct dcmd dcmd_threads;
extern const struct dcmd dcmd_tls;
extern const struct dcmd dcmd_top;
extern const struct dcmd dcmd_topusers;
extern const struct dcmd dcmd_tree;
extern const struct dcmd dcmd_tsd;
extern const struct dcmd dcmd_typedef;
extern const struct dcmd dcmd_typeset;
extern const struct dcmd dcmd_ugrep;
extern const struct dcmd dcmd_umem_malloc_dist;
extern const struct dcmd dcmd_umem_malloc_info;
extern const struct dcmd dcmd_uniq;
extern const struct dcmd dcmd_unload;
extern const struct dcmd dcmd_unset;
extern const struct dcmd dcmd_vars;
extern const struct dcmd dcmd_version;
extern const struct dcmd dcmd_vmem;
extern const struct dcmd dcmd_vmem_seg;
extern const struct dcmd dcmd_waiters;
extern const struct dcmd dcmd_walk;
extern const struct dcmd dcmd_walkers;
extern const struct dcmd dcmd_whatis;
extern const struct dcmd dcmd_whatthread;
extern const struct dcmd dcmd_which;
extern const struct dcmd dcmd_whyleak;
extern const struct dcmd dcmd_whylive;
extern const struct dcmd dcmd_xdata;

extern const struct walker walker_allocdby;
extern const struct walker walker_bufctl;
extern const struct walker walker_bufctl_history;
extern const struct walker walker_freectl;
extern const struct walker walker_freectl_constructed;
extern const struct walker walker_freedby;
extern const struct walker walker_freemem;
extern const struct walker walker_freemem_constructed;
extern const struct walker walker_kmem;
extern const struct walker walker_kmem_cache;
extern const struct walker walker_kmem_cpu;
extern const struct walker walker_kmem_cpu_cache;
extern const struct walker walker_kmem_hash;
extern const struct walker walker_kmem_log;
extern const struct walker walker_kmem_magazine;
extern const struct walker walker_kmem_slab;
extern const struct walker walker_kmem_slab_partial;
extern const struct walker walker_leak;
extern const struct walker walker_leakbuf;
extern const struct walker walker_malloctype;
extern const struct walker walker_pool;
extern const struct walker walker_pool_cache;
extern const struct walker walker_thread;
extern const struct walker walker_vmem;
extern const struct walker walker_vmem_alloc;
extern const struct walker walker_vmem_free;
extern const struct walker walker_vmem_postfix;
extern const struct walker walker_vmem_seg;
extern const struct walker walker_vmem_span;

#endif

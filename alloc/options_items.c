/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each item has one function, which sets what it says in kma_options; the
 * tables at the end tell which variable knows which.
 */
#include "alloc/options_items.h"

#include "alloc/log.h"
#include "alloc/options.h"
#include "alloc/tier.h"
#include "dumpfmt/writer.h"

#include <signal.h>

enum {
	MIN_LOG = 64 * 1024,
	UMEM_DEPTH = 15,
	GUARD_DEPTH_MAX = 1 << 20,
};

static bool choose_off(struct text value)
{
	kma_options.tier = KMA_TIER_OFF;
	return value.size == 0;
}

/* "1/RATE": nothing but samples is of the tier. */
static bool choose_sample(struct text value, enum kma_tier tier, bool bytes)
{
	struct text rate;
	struct text one = text_cut(value, '/', &rate);
	size_t number;

	if (!text_is(one, "1") || !text_size(rate, &number) || number == 0)
		return false;
	kma_options.tier = KMA_TIER_OFF;
	kma_options.sample_rate = number;
	kma_options.sample_tier = tier;
	kma_options.sample_bytes = bytes;
	return true;
}

static bool choose_audit(struct text value)
{
	size_t depth;

	if (choose_sample(value, KMA_TIER_AUDIT, true))
		return true;
	kma_options.tier = KMA_TIER_AUDIT;
	if (value.size == 0)
		return true;
	if (!text_number(value, &depth) || depth > UINT32_MAX)
		return false;
	kma_options.audit_depth = (unsigned)depth;
	return true;
}

static bool choose_lite(struct text value)
{
	kma_options.tier = KMA_TIER_LITE;
	return value.size == 0;
}

static bool choose_guard(struct text value)
{
	if (choose_sample(value, KMA_TIER_GUARD, false)) {
		kma_options.guards = true;
		return true;
	}
	if (value.size && !text_is(value, "left"))
		return false;
	kma_options.tier = KMA_TIER_GUARD;
	kma_options.guards = true;
	kma_options.guard_left = value.size != 0;
	return true;
}

static bool choose_guard_depth(struct text value)
{
	size_t depth;

	if (!text_number(value, &depth) || depth > GUARD_DEPTH_MAX)
		return false;
	kma_options.guard_depth = depth;
	return true;
}

static bool choose_guard_limit(struct text value)
{
	return text_size_some(value, &kma_options.guard_limit);
}

static bool choose_firewall(struct text value)
{
	if (!text_size_some(value, &kma_options.firewall))
		return false;
	kma_options.guards = true;
	return true;
}

static bool choose_umem_audit(struct text value)
{
	kma_options.audit_depth = UMEM_DEPTH;
	return choose_audit(value);
}

static bool choose_noabort(struct text value)
{
	kma_options.noabort = true;
	return value.size == 0;
}

static bool choose_verbose(struct text value)
{
	kma_options.verbose = true;
	return value.size == 0;
}

/* A log's size; without one, the least. */
static bool choose_log(struct text value, size_t *log)
{
	*log = MIN_LOG;
	return value.size == 0 || text_size(value, log);
}

static bool choose_transaction(struct text value)
{
	return choose_log(value, &kma_options.transaction_log);
}

static bool choose_contents(struct text value)
{
	return choose_log(value, &kma_options.contents_log);
}

static bool choose_fail(struct text value)
{
	return choose_log(value, &kma_options.fail_log);
}

static bool choose_slab(struct text value)
{
	return choose_log(value, &kma_options.slab_log);
}

/* How much of a freed buffer the contents log keeps. */
static bool choose_saved(struct text value)
{
	size_t bytes = SAVED_DEFAULT;

	if (value.size && (!text_size(value, &bytes) || bytes == 0 ||
			   bytes > KMA_LOG_SAVED_MAX))
		return false;
	kma_options.saved_max = bytes;
	return true;
}

/* And keep it, although KMA_LOGGING may say nothing. */
static bool choose_saved_contents(struct text value)
{
	if (!kma_options.contents_log)
		kma_options.contents_log = MIN_LOG;
	return choose_saved(value);
}

/* N or N:SEED */
static bool choose_mtbf(struct text value)
{
	struct text seed;
	struct text rate = text_cut(value, ':', &seed);
	size_t mean, start = 0;

	if (!text_number(rate, &mean) ||
	    (seed.size != 0 && !text_number(seed, &start)))
		return false;
	kma_options.mtbf = mean;
	kma_options.mtbf_seed = start;
	return true;
}

static bool choose_limit(struct text value)
{
	return text_size_some(value, &kma_options.limit);
}

/* Which of the words it is, in the order of their numbers; else count. */
static unsigned word_of(struct text value, const char *const *words,
			unsigned count)
{
	unsigned i = 0;

	while (i < count && !text_is(value, words[i]))
		i++;
	return i;
}

static bool choose_zero_size(struct text value)
{
	static const char *const words[] = { "kernel", "abort", "null_log",
					     "min" };
	unsigned word = word_of(value, words, 4);

	if (word < 4)
		kma_options.zero_size = (enum kma_zero_size)word;
	return word < 4;
}

static bool choose_free_null(struct text value)
{
	kma_options.free_null_ignored = text_is(value, "ignore");
	return kma_options.free_null_ignored || text_is(value, "report");
}

static bool choose_wired(struct text value)
{
	static const char *const words[] = { "commit", "lock", "require" };
	unsigned word = word_of(value, words, 3);

	if (word < 3)
		kma_options.wired = (enum kma_wired)word;
	return word < 3;
}

static bool choose_stacks(struct text value)
{
	return text_size_some(value, &kma_options.stacks_max);
}

static bool choose_reap_interval(struct text value)
{
	size_t seconds;

	if (!text_number(value, &seconds) || seconds > INT32_MAX)
		return false;
	kma_options.reap_interval = seconds;
	return true;
}

/* KMA_OPTIONS=tier:CACHE=TIER */
static bool choose_tier(struct text name, struct text value)
{
	struct text cache;
	enum kma_tier tier;

	text_cut(name, ':', &cache);
	if (cache.size == 0 || cache.size >= KMA_CACHE_NAME_SIZE ||
	    kma_options.tier_count == KMA_TIER_CHOICES_MAX ||
	    !kma_tier_named(value.at, value.size, &tier))
		return false;
	memcpy(kma_options.tiers[kma_options.tier_count].cache, cache.at,
	       cache.size);
	kma_options.tiers[kma_options.tier_count++].tier = tier;
	kma_options.guards |= tier == KMA_TIER_GUARD;
	return true;
}

static bool choose_path(struct text value)
{
	if (value.size == 0 || value.size >= sizeof(kma_options.dump.path))
		return false;
	memcpy(kma_options.dump.path, value.at, value.size);
	kma_options.dump.path[value.size] = '\0';
	return true;
}

static bool request_signal(struct text name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },   { "HUP", SIGHUP },
		{ "QUIT", SIGQUIT }, { "URG", SIGURG },     { "IO", SIGIO },
		{ "PWR", SIGPWR },   { "WINCH", SIGWINCH },
	};
	size_t number;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (text_is(name, signals[i].name)) {
			kma_options.dump.request_signal = signals[i].number;
			return true;
		}
	if (!text_number(name, &number) || number == 0 || number >= NSIG)
		return false;
	kma_options.dump.request_signal = (int)number;
	return true;
}

static bool choose_on(struct text value)
{
	kma_options.dump.on_given = true;
	while (value.size) {
		struct text argument;
		struct text event = text_cut(value, '+', &value);

		event = text_cut(event, ':', &argument);
		if (text_is(event, "exit"))
			kma_options.dump.on_exit = true;
		else if (text_is(event, "fatal"))
			kma_options.dump.on_fatal = true;
		else if (text_is(event, "killed"))
			kma_options.dump.on_killed = true;
		else if (text_is(event, "error"))
			kma_options.dump.on_error = true;
		else if (!text_is(event, "request") ||
			 !request_signal(argument))
			return false;
	}
	return true;
}

static bool choose_level(struct text value)
{
	static const char *const names[] = {
		[DUMP_FULL] = "full",
		[DUMP_HEAP] = "heap",
		[DUMP_META] = "meta",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(value, names[i])) {
			kma_options.dump.level = i;
			return true;
		}
	return false;
}

static bool choose_codec(struct text value)
{
	kma_options.dump.codec_given =
		dump_codec_named(value.at, value.size, &kma_options.dump.codec);
	return kma_options.dump.codec_given;
}

static bool choose_workers(struct text value)
{
	size_t workers;

	if (!text_number(value, &workers) || workers == 0 ||
	    workers > DUMP_WORKERS_MAX)
		return false;
	kma_options.dump.workers = (unsigned)workers;
	return true;
}

static bool choose_symbols(struct text value)
{
	kma_options.dump.symbols = true;
	return value.size == 0;
}

static const struct item debug_items[] = {
	{ "off", choose_off },
	{ "lite", choose_lite },
	{ "audit", choose_audit },
	{ "default", choose_audit },
	{ "guard", choose_guard },
	{ "kmguard", choose_guard_depth },
	{ "guard_limit", choose_guard_limit },
	{ "guards", choose_audit },
	{ "noabort", choose_noabort },
	{ "verbose", choose_verbose },
	{ "allverbose", choose_verbose },
	{ "contents", choose_saved_contents },
	{ "nosignal", NULL },
	{ "firewall", choose_firewall },
	{ "maxverify", NULL },
	{ "mtbf", choose_mtbf },
	{ "random", NULL },
	{ "checknull", NULL },
	{ NULL, NULL },
};

/* libumem: audit keeps 15 frames; contents are kept where UMEM_LOGGING has a
 * log for them. */
static const struct item umem_debug_items[] = {
	{ "default", choose_umem_audit },
	{ "audit", choose_umem_audit },
	{ "guards", choose_audit },
	{ "lite", choose_lite },
	{ "noabort", choose_noabort },
	{ "verbose", choose_verbose },
	{ "allverbose", choose_verbose },
	{ "contents", choose_saved },
	{ "nosignal", NULL },
	{ "firewall", choose_firewall },
	{ "maxverify", NULL },
	{ "mtbf", NULL },
	{ "random", NULL },
	{ "checknull", NULL },
	{ NULL, NULL },
};

static const struct item logging_items[] = {
	{ "transaction", choose_transaction },
	{ "contents", choose_contents },
	{ "fail", choose_fail },
	{ "slab", choose_slab },
	{ NULL, NULL },
};

static const struct item options_items[] = {
	{ "backend", NULL },
	{ "allocator", NULL },
	{ "concurrency", NULL },
	{ "limit", choose_limit },
	{ "max_contention", NULL },
	{ "nomagazines", NULL },
	{ "reap_interval", choose_reap_interval },
	{ "size_add", NULL },
	{ "size_remove", NULL },
	{ "size_clear", NULL },
	{ "perthread_cache", NULL },
	{ "sbrk_minalloc", NULL },
	{ "sbrk_pagesize", NULL },
	{ "stacks", choose_stacks },
	{ "zero_size", choose_zero_size },
	{ "free_null", choose_free_null },
	{ "wired", choose_wired },
	{ NULL, NULL },
};

static const struct item dump_items[] = {
	{ "path", choose_path },
	{ "on", choose_on },
	{ "level", choose_level },
	{ "codec", choose_codec },
	{ "workers", choose_workers },
	{ "symbols", choose_symbols },
	{ NULL, NULL },
};

const struct variable kma_option_variables[] = {
	{ "KMA_DEBUG", debug_items, "UMEM_DEBUG", umem_debug_items },
	{ "KMA_LOGGING", logging_items, "UMEM_LOGGING", logging_items },
	{ "KMA_OPTIONS", options_items, "UMEM_OPTIONS", options_items,
	  "tier:", choose_tier },
	{ "KMA_DUMP", dump_items, NULL, NULL },
	{ NULL },
};

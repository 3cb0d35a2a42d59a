/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/suppressions.h"

#include "kdbg/check_merge.h"
#include "kdbg/check_signature.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More places than this, and a rule hides what nobody has looked at. */
enum { BROAD_PLACES = 10 };

bool suppression_glob(const char *glob, const char *text, bool question)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			resume = text;
		} else if (*glob == *text || (question && *glob == '?')) {
			glob++;
			text++;
		} else if (star) {
			glob = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}

static bool matches(const char *glob, const char *text)
{
	return text && suppression_glob(glob, text, true);
}

static bool matches_template(const char *glob, const char *text)
{
	return text && suppression_glob(glob, text, false);
}

/* valgrind's src has the last part of a path as well as all of it. */
static bool matches_source(const char *glob, const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	return matches(glob, file) || (slash && matches(glob, slash + 1));
}

/* Past a namespace without a name, and past one pair of <> or (). */
static const char *skip_nested(const char *at)
{
	char open = *at, close = open == '<' ? '>' : ')';
	unsigned depth = 0;

	for (; *at; at++) {
		depth += *at == open;
		if (*at == close && --depth == 0)
			return at + 1;
	}
	return at;
}

/* "operator" and at least one character that ends the word. */
static bool is_operator(const char *name)
{
	return strncmp(name, "operator", 8) == 0 && name[8] && name[8] != '_' &&
	       !isalnum((unsigned char)name[8]);
}

enum { PLAIN_SIZE = 256 };

/* The function's name alone, without class and parameters. So valgrind calls
 * what was inlined: there is no symbol for it. */
static void plain_name(const char *function, char name[PLAIN_SIZE])
{
	static const char nameless[] = "(anonymous namespace)";
	const char *start = function, *end = function;

	while (*end && (*end != '(' ||
			strncmp(end, nameless, sizeof(nameless) - 1) == 0)) {
		if (end == start && is_operator(end)) {
			end += 9 + strcspn(end + 9, "(");
			break;
		}
		if (*end == '<' || *end == '(')
			end = skip_nested(end);
		else if (end[0] == ':' && end[1] == ':')
			start = end += 2;
		else
			end++;
	}
	snprintf(name, PLAIN_SIZE, "%.*s", (int)(end - start), start);
}

static bool matches_plain(const char *glob, const char *function)
{
	char name[PLAIN_SIZE];

	plain_name(function, name);
	return matches(glob, name);
}

/* What valgrind gives that name, whatever the C library calls it. */
static bool is_below_main(const char *function)
{
	return function && (strncmp(function, "__libc_start", 12) == 0 ||
			    strcmp(function, "_start") == 0);
}

static bool matches_frame(const struct pattern *pattern,
			  const struct check_frame *frame)
{
	const char *glob = pattern->glob;

	switch (pattern->kind) {
	case PATTERN_FUNCTION:
		return matches(glob, frame->function) ||
		       (strcmp(glob, "(below main)") == 0 &&
			is_below_main(frame->function)) ||
		       matches(glob, frame->linkage) ||
		       (frame->inlined && frame->function
				? matches_plain(glob, frame->function)
				: matches(glob, frame->symbol));
	case PATTERN_MODULE:
		return matches(glob, frame->module);
	case PATTERN_SOURCE:
		return (!pattern->line || pattern->line == frame->line) &&
		       matches_source(glob, frame->file);
	case PATTERN_TEMPLATE:
		return matches_template(glob, frame->function) ||
		       matches_template(glob, frame->file) ||
		       matches_template(glob, frame->module);
	default:
		return false;
	}
}

/* As a glob, with frames for characters; the rest of the stack is free. */
static bool matches_stack(const struct suppression *rule,
			  const struct check_stack *stack)
{
	size_t at = 0, frame = 0, gap = SIZE_MAX, resume = 0;

	while (at < rule->pattern_count) {
		const struct pattern *pattern = &rule->patterns[at];
		if (pattern->kind == PATTERN_GAP) {
			gap = ++at;
			resume = frame;
		} else if (frame >= stack->count) {
			return false;
		} else if (matches_frame(pattern, &stack->frames[frame])) {
			at++;
			frame++;
		} else if (gap != SIZE_MAX) {
			at = gap;
			frame = ++resume;
		} else {
			return false;
		}
	}
	return true;
}

static bool matches_somewhere(const struct pattern *pattern,
			      const struct check_leak *leak)
{
	if (pattern->kind == PATTERN_CACHE)
		return matches(pattern->glob, leak->cache);
	for (size_t i = 0; i < leak->stack.count; i++)
		if (matches_frame(pattern, &leak->stack.frames[i]))
			return true;
	return false;
}

static unsigned leak_kind(const struct check_leak *leak)
{
	if (strcmp(leak->class, "possible") == 0)
		return SUPPRESS_POSSIBLE;
	return strcmp(leak->class, "indirect") == 0 ? SUPPRESS_INDIRECT
						    : SUPPRESS_DEFINITE;
}

enum { STACKS = 3 };

/* stacks: the leak's, and as valgrind writes it down. */
static bool matches_leak(const struct suppression *rule,
			 const struct check_leak *leak,
			 const struct check_stack stacks[STACKS],
			 const char *program)
{
	if (rule->program && strcmp(rule->program, program) != 0)
		return false;
	if (rule->expired || !(rule->kinds & leak_kind(leak)))
		return false;
	for (size_t i = 0; rule->ordered && i < STACKS; i++)
		if ((i == 0 || stacks[i].count) &&
		    matches_stack(rule, &stacks[i]))
			return true;
	if (rule->ordered)
		return false;
	for (size_t i = 0; i < rule->pattern_count; i++)
		if (!matches_somewhere(&rule->patterns[i], leak))
			return false;
	return true;
}

static bool is_past_limit(const struct suppression *rule,
			  const struct check_leak *leak)
{
	return (rule->max_count &&
		rule->buffers + leak->leaked > rule->max_count) ||
	       (rule->max_bytes && rule->bytes + leak->bytes > rule->max_bytes);
}

/* Stands in front of the C library, behind the allocating function? valgrind
 * has no such frame. */
static bool is_ours(const struct check_stack *stack, size_t frame)
{
	return frame > 0 && stack->frames[frame].allocators;
}

/* Without those and, as an older valgrind has it, without what was inlined. No
 * frames: that leaves nothing out. */
static struct check_stack
strip(struct arena *arena, const struct check_stack *stack, bool with_inlined)
{
	struct check_frame *frames =
		stack->count ? arena_array(arena, stack->count, sizeof(*frames))
			     : NULL;
	struct check_stack stripped = { frames, 0 };

	for (size_t i = 0; frames && i < stack->count; i++)
		if (!is_ours(stack, i) &&
		    (with_inlined || i == 0 || !stack->frames[i].inlined))
			frames[stripped.count++] = stack->frames[i];
	if (stripped.count == stack->count)
		stripped.count = 0;
	return stripped;
}

static bool is_suppressed(struct suppressions *set,
			  const struct check_leak *leak, const char *program)
{
	const struct check_stack stacks[STACKS] = {
		leak->stack,
		strip(set->arena, &leak->stack, true),
		strip(set->arena, &leak->stack, false),
	};

	for (struct suppression *rule = set->first; rule; rule = rule->next) {
		if (!matches_leak(rule, leak, stacks, program))
			continue;
		if (is_past_limit(rule, leak)) {
			rule->refused++;
			continue;
		}
		rule->groups++;
		rule->buffers += leak->leaked;
		rule->bytes += leak->bytes;
		address_set_add(&rule->places,
				check_signature("leak", &leak->stack) | 1);
		return true;
	}
	return false;
}

struct leak_list { /* in a process */
	const char *program;
	const struct check_leak **leaks;
	size_t *count;
	uint64_t *buffers, *bytes;
};

static void drop(struct leak_list *list, const struct check_leak *leak)
{
	*list->buffers -=
		leak->leaked < *list->buffers ? leak->leaked : *list->buffers;
	*list->bytes -= leak->bytes < *list->bytes ? leak->bytes : *list->bytes;
}

/* *definite: how many definite leaks are left. */
static struct err *filter(struct suppressions *set, struct leak_list list,
			  size_t *definite)
{
	size_t count = *list.count, kept = 0;
	struct check_leak *copy =
		count ? arena_array(set->arena, count, sizeof(*copy)) : NULL;

	*definite = 0;
	if (count && !copy)
		return err_new(ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct check_leak *leak = &(*list.leaks)[i];
		if (is_suppressed(set, leak, list.program)) {
			drop(&list, leak);
			continue;
		}
		*definite += leak_kind(leak) == SUPPRESS_DEFINITE;
		copy[kept++] = *leak;
	}
	*list.leaks = copy;
	*list.count = kept;
	return NULL;
}

struct err *suppressions_apply(struct suppressions *set,
			       struct check_process *process)
{
	size_t before = process->leak_count, definite, ignored;
	struct leak_list leaks = { process->path, &process->leaks,
				   &process->leak_count,
				   &process->leaked_buffers,
				   &process->leaked_bytes };
	struct leak_list possible = { process->path, &process->possible,
				      &process->possible_count,
				      &process->possible_buffers,
				      &process->possible_bytes };

	if (!set->first)
		return NULL;
	struct err *err = filter(set, leaks, &definite);
	if (!err)
		err = filter(set, possible, &ignored);
	if (!err && before > process->leak_count && !definite) {
		process->leak_count = 0;
		process->leaked_buffers = process->leaked_bytes = 0;
	}
	return err;
}

void suppressions_report(const struct suppression *first, FILE *out)
{
	const char *title = "\nSuppressions:\n";

	for (; first; first = first->next) {
		/* Nobody here can mend what a program brings along. */
		if (first->program && !first->groups)
			continue;
		fputs(title, out);
		title = "";
		fprintf(out, "  %s:%u: %s: ", first->file, first->line,
			first->text);
		if (first->expired)
			fputs("expired, and not used\n", out);
		else if (!first->groups && !first->refused)
			fputs("stale: hit nothing\n", out);
		else
			fprintf(out,
				"%" PRIu64 " bytes in %" PRIu64
				" buffers of %zu places%s%s\n",
				first->bytes, first->buffers,
				first->places.count,
				first->places.count > BROAD_PLACES
					? "; too broad"
					: "",
				first->refused ? "; past its limit" : "");
	}
}

static void generate_frame(const struct check_frame *frame, FILE *out)
{
	const char *symbol = frame->symbol && !frame->inlined ? frame->symbol
							      : frame->linkage;
	char name[PLAIN_SIZE];

	if (frame->inlined && frame->function) {
		plain_name(frame->function, name);
		fprintf(out, "   fun:%s\n", name);
	} else if (symbol) {
		fprintf(out, "   fun:%s\n", symbol);
	} else {
		fprintf(out, "   obj:%s\n",
			frame->module ? frame->module : "*");
	}
}

/* From the allocating function on, without a gap: what main() itself lost must
 * not hide what is lost by all that it calls. */
static void generate(const struct check_leak *leak, FILE *out)
{
	size_t first, end;

	check_signature_span(&leak->stack, &first, &end);
	fprintf(out,
		"{\n   <insert a name>\n   Memcheck:Leak\n"
		"   match-leak-kinds: %s\n",
		leak->class);
	for (size_t i = 0; i < end; i++)
		if (!is_ours(&leak->stack, i))
			generate_frame(&leak->stack.frames[i], out);
	fputs("}\n", out);
}

/* Leaks that differ in lines alone, or in the process, make the same rule. */
static void generate_new(const struct check_leak *leak,
			 struct address_set *made, FILE *out)
{
	char *rule = NULL;
	size_t size;
	FILE *text = open_memstream(&rule, &size);

	if (!text)
		return;
	generate(leak, text);
	if (fclose(text) == 0 && address_set_add(made, check_text_hash(rule)))
		fputs(rule, out);
	free(rule);
}

void suppressions_generate(const struct check_result *result, FILE *out)
{
	struct address_set made = { NULL };

	for (size_t i = 0; i < result->count; i++) {
		const struct check_process *process = &result->processes[i];
		if (process->verdict == CHECK_IGNORED || process->system)
			continue;
		for (size_t j = 0; j < process->leak_count; j++)
			generate_new(&process->leaks[j], &made, out);
		for (size_t j = 0;
		     result->possible_fails && j < process->possible_count; j++)
			generate_new(&process->possible[j], &made, out);
	}
	address_set_deinit(&made);
}

void suppressions_deinit(struct suppressions *set)
{
	for (struct suppression *rule = set->first; rule; rule = rule->next)
		address_set_deinit(&rule->places);
}

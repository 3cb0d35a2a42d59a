/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/baseline.h"

#include "kdbg/check_signature.h"
#include "kdbg/vector.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	TABLE_MIN = 64,
	/* A path or a number in a lost string is longer elsewhere: bytes alone
	 * make a leak grow when they are more than so many times as many. */
	BYTES_FACTOR = 2,
};

static const char head[] = "# kdbg check --baseline, version 1\n";

/* A program's leak; or the program itself, with signature 0. */
struct entry {
	const char *program, *place;
	uint64_t signature;
	uint64_t buffers, bytes; /* in the file */
	uint64_t noted_buffers, noted_bytes;
	uint64_t round; /* the process that current is about */
	uint64_t current_buffers, current_bytes;
	bool in_file, noted;
	bool seen;       /* in some process; a program: it ran */
	bool incomplete; /* a program: some process of it was not checked */
};

struct baseline {
	const char *path;
	bool update;
	struct arena arena;
	struct entry *entries;
	size_t count;
	size_t *table; /* index + 1, by hash; at most half full */
	size_t table_size;
	uint64_t round;
};

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "out of memory");
}

static size_t *find_slot(const struct baseline *baseline, const char *program,
			 uint64_t signature)
{
	size_t mask = baseline->table_size - 1, i = (size_t)signature;

	for (const char *c = program; *c; c++)
		i = i * 31 + (unsigned char)*c;
	for (i &= mask; baseline->table[i]; i = (i + 1) & mask) {
		const struct entry *entry =
			&baseline->entries[baseline->table[i] - 1];
		if (entry->signature == signature &&
		    strcmp(entry->program, program) == 0)
			break;
	}
	return &baseline->table[i];
}

static bool grow_table(struct baseline *baseline)
{
	size_t *old = baseline->table;

	if (baseline->count * 2 < baseline->table_size)
		return true;
	size_t size =
		baseline->table_size ? baseline->table_size * 2 : TABLE_MIN;
	baseline->table = calloc(size, sizeof(*baseline->table));
	if (!baseline->table) {
		baseline->table = old;
		return false;
	}
	baseline->table_size = size;
	free(old);
	for (size_t i = 0; i < baseline->count; i++)
		*find_slot(baseline, baseline->entries[i].program,
			   baseline->entries[i].signature) = i + 1;
	return true;
}

/* The entry, made if there is none; NULL: no memory. It moves with the next. */
static struct entry *get_entry(struct baseline *baseline, const char *program,
			       uint64_t signature, const char *place)
{
	if (!grow_table(baseline))
		return NULL;
	size_t *slot = find_slot(baseline, program, signature);
	if (*slot)
		return &baseline->entries[*slot - 1];
	struct entry *entries = vector_grow(baseline->entries, baseline->count,
					    sizeof(*entries));
	if (!entries)
		return NULL;
	baseline->entries = entries;
	struct entry *entry = &entries[baseline->count];
	*entry = (struct entry){
		.program =
			arena_text(&baseline->arena, program, strlen(program)),
		.place = arena_text(&baseline->arena, place, strlen(place)),
		.signature = signature,
	};
	if (!entry->program || !entry->place)
		return NULL;
	*slot = ++baseline->count;
	return entry;
}

/* --- the file ------------------------------------------------------------- */

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool parse_number(const char *text, int base, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = text ? strtoull(text, &end, base) : 0;
	return text && *text && *text != '-' && !*end && !errno;
}

static struct err *add_line(struct baseline *baseline, char *line)
{
	uint64_t signature, buffers, bytes;
	char *rest = line;

	line[strcspn(line, "\n")] = '\0';
	const char *program = strsep(&rest, "\t");
	if (!parse_number(strsep(&rest, "\t"), 16, &signature) || !signature ||
	    !parse_number(strsep(&rest, "\t"), 10, &buffers) ||
	    !parse_number(strsep(&rest, "\t"), 10, &bytes))
		return err_new(ERR_USAGE,
			       "not a line of a baseline (program, signature, "
			       "buffers, bytes, place)");
	struct entry *entry =
		get_entry(baseline, program, signature, rest ? rest : "");
	if (!entry)
		return no_memory();
	entry->in_file = true;
	entry->buffers = larger(entry->buffers, buffers);
	entry->bytes = larger(entry->bytes, bytes);
	return NULL;
}

static struct err *read_stream(struct baseline *baseline, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	struct err *err = NULL;

	while (!err && getline(&line, &size, file) > 0) {
		number++;
		if (*line != '#' && *line != '\n')
			err = add_line(baseline, line);
	}
	if (!err && ferror(file))
		err = err_new(ERR_IO, "%s", strerror(errno));
	free(line);
	return err_wrap(err, "%s:%u", baseline->path, number);
}

static struct err *read_file(struct baseline *baseline)
{
	FILE *file = fopen(baseline->path, "re");

	if (!file && errno == ENOENT && baseline->update)
		return NULL;
	if (!file && errno == ENOENT)
		return err_new(ERR_NOT_FOUND,
			       "%s: no such file: --update-baseline makes it",
			       baseline->path);
	if (!file)
		return err_new(ERR_IO, "%s: %s", baseline->path,
			       strerror(errno));
	flock(fileno(file), LOCK_SH);
	struct err *err = read_stream(baseline, file);
	fclose(file);
	return err;
}

struct err *baseline_open(const char *path, bool update, struct baseline **ret)
{
	struct baseline *baseline = calloc(1, sizeof(*baseline));

	if (!baseline)
		return no_memory();
	baseline->path = path;
	baseline->update = update;
	struct err *err = grow_table(baseline) ? NULL : no_memory();
	if (!err && path)
		err = read_file(baseline);
	if (err)
		baseline_close(baseline);
	else
		*ret = baseline;
	return err;
}

void baseline_close(struct baseline *baseline)
{
	if (!baseline)
		return;
	arena_deinit(&baseline->arena);
	free(baseline->entries);
	free(baseline->table);
	free(baseline);
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int programs = strcmp(x->program, y->program);

	if (programs)
		return programs;
	return (x->signature > y->signature) - (x->signature < y->signature);
}

static void put_entries(struct baseline *baseline, FILE *file)
{
	/* The table is of no use after this. */
	qsort(baseline->entries, baseline->count, sizeof(*baseline->entries),
	      by_name);
	fputs(head, file);
	for (size_t i = 0; i < baseline->count; i++) {
		const struct entry *e = &baseline->entries[i];
		if (e->signature && (e->in_file || e->noted))
			fprintf(file,
				"%s\t%016" PRIx64 "\t%" PRIu64 "\t%" PRIu64
				"\t%s\n",
				e->program, e->signature,
				larger(e->buffers, e->noted_buffers),
				larger(e->bytes, e->noted_bytes), e->place);
	}
}

/* In place: others wait for the lock of this very file. */
static struct err *rewrite(struct baseline *baseline, FILE *file)
{
	if (flock(fileno(file), LOCK_EX))
		return err_new(ERR_IO, "%s: %s", baseline->path,
			       strerror(errno));
	struct err *err = read_stream(baseline, file);
	if (err)
		return err;
	rewind(file);
	if (ftruncate(fileno(file), 0) == 0)
		put_entries(baseline, file);
	if (fflush(file) || ferror(file))
		err = err_new(ERR_IO, "%s: %s", baseline->path,
			      strerror(errno));
	return err;
}

struct err *baseline_save(struct baseline *baseline)
{
	if (!baseline->path || !baseline->update)
		return NULL;
	int fd = open(baseline->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r+");
	if (!file) {
		struct err *err = err_new(ERR_IO, "%s: %s", baseline->path,
					  strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	struct err *err = rewrite(baseline, file);
	fclose(file);
	return err;
}

/* --- a process ------------------------------------------------------------ */

static const char *program_name(const struct check_process *process)
{
	const char *slash = strrchr(process->path, '/');

	return slash ? slash + 1 : process->path;
}

static struct entry *entry_of(struct baseline *baseline,
			      const struct check_process *process,
			      const struct check_leak *leak)
{
	uint64_t signature = check_signature("leak", &leak->stack);

	return get_entry(baseline, program_name(process),
			 signature | !signature,
			 leak->caller.function ? leak->caller.function : "?");
}

/* Add a process's leaks up, by signature. */
static bool add_up(struct baseline *baseline,
		   const struct check_process *process,
		   const struct check_leak *leaks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = entry_of(baseline, process, &leaks[i]);
		if (!entry)
			return false;
		if (entry->round != baseline->round)
			entry->current_buffers = entry->current_bytes = 0;
		entry->round = baseline->round;
		entry->seen = true;
		entry->current_buffers += leaks[i].leaked;
		entry->current_bytes += leaks[i].bytes;
	}
	return true;
}

static enum check_baseline compare(struct baseline *baseline,
				   struct entry *entry)
{
	if (baseline->update) {
		entry->noted = true;
		entry->noted_buffers =
			larger(entry->noted_buffers, entry->current_buffers);
		entry->noted_bytes =
			larger(entry->noted_bytes, entry->current_bytes);
		return BASELINE_KNOWN;
	}
	if (!entry->in_file)
		return BASELINE_NEW;
	return entry->current_buffers > entry->buffers ||
			       entry->current_bytes / BYTES_FACTOR >
				       entry->bytes
		       ? BASELINE_GROWN
		       : BASELINE_KNOWN;
}

/* The leaks of a list, and what they add up to. */
struct list {
	const struct check_leak **leaks;
	size_t *count;
	uint64_t *buffers, *bytes;
};

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

/* Move what is known from the list to the end of process->known. */
static bool divide(struct baseline *baseline, struct arena *arena,
		   struct check_process *process, struct list list,
		   struct check_leak *known)
{
	size_t count = *list.count, kept = 0;
	struct check_leak *copy =
		count ? arena_array(arena, count, sizeof(*copy)) : NULL;

	if (count && !copy)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct check_leak leak = (*list.leaks)[i];
		struct entry *entry = entry_of(baseline, process, &leak);
		if (!entry)
			return false;
		leak.baseline = compare(baseline, entry);
		if (leak.baseline != BASELINE_KNOWN) {
			copy[kept++] = leak;
			continue;
		}
		known[process->known_count++] = leak;
		process->known_buffers += leak.leaked;
		process->known_bytes += leak.bytes;
		*list.buffers = less(*list.buffers, leak.leaked);
		*list.bytes = less(*list.bytes, leak.bytes);
	}
	*list.leaks = copy;
	*list.count = kept;
	return true;
}

static bool divide_all(struct baseline *baseline, struct arena *arena,
		       struct check_process *process)
{
	struct list leaks = { &process->leaks, &process->leak_count,
			      &process->leaked_buffers,
			      &process->leaked_bytes };
	struct list possible = { &process->possible, &process->possible_count,
				 &process->possible_buffers,
				 &process->possible_bytes };
	size_t count = process->leak_count + process->possible_count;
	struct check_leak *known =
		count ? arena_array(arena, count, sizeof(*known)) : NULL;

	process->known = known;
	return !count ||
	       (known && divide(baseline, arena, process, leaks, known) &&
		divide(baseline, arena, process, possible, known));
}

struct err *baseline_apply(struct baseline *baseline, struct arena *arena,
			   struct check_process *process)
{
	if (!baseline->path || process->system ||
	    process->verdict == CHECK_IGNORED)
		return NULL;
	struct entry *program =
		get_entry(baseline, program_name(process), 0, "");
	if (!program)
		return no_memory();
	program->seen = true;
	program->incomplete |= process->verdict != CHECK_CHECKED;
	baseline->round++;
	if (!add_up(baseline, process, process->leaks, process->leak_count) ||
	    !add_up(baseline, process, process->possible,
		    process->possible_count) ||
	    !divide_all(baseline, arena, process))
		return no_memory();
	return NULL;
}

static bool is_gone(const struct baseline *baseline, const struct entry *entry)
{
	if (!entry->signature || !entry->in_file || entry->seen)
		return false;
	size_t program = *find_slot(baseline, entry->program, 0);
	return program && baseline->entries[program - 1].seen &&
	       !baseline->entries[program - 1].incomplete;
}

struct err *baseline_list_gone(const struct baseline *baseline,
			       struct check_result *result)
{
	size_t count = 0;

	for (size_t i = 0; i < baseline->count; i++)
		count += is_gone(baseline, &baseline->entries[i]);
	struct check_gone *gone =
		count ? arena_array(&result->arena, count, sizeof(*gone))
		      : NULL;
	if (count && !gone)
		return no_memory();
	result->gone = gone;
	for (size_t i = 0; i < baseline->count; i++) {
		const struct entry *entry = &baseline->entries[i];
		if (is_gone(baseline, entry))
			gone[result->gone_count++] = (struct check_gone){
				.program = entry->program,
				.place = entry->place,
				.signature = entry->signature,
				.buffers = entry->buffers,
				.bytes = entry->bytes,
			};
	}
	return NULL;
}

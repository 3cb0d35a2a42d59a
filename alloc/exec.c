/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exec family, posix_spawn, system and popen, as a supervised program sees
 * them: the same functions, which announce in the roster what becomes of whom
 * and put our variables back into an environment that lost them.
 *
 * All of exec is done here down to the system call, as the C library's own
 * would neither be found safely (dlsym may allocate) nor tell which file it
 * ran. It may be called in a signal handler, after fork in a threaded program
 * and after vfork, so it uses the stack, the roster's shared memory and
 * nothing else. What cannot be read goes to the kernel as it is, which says
 * EFAULT; of that nothing is announced.
 *
 * posix_spawn, system and popen are the C library's. The latter two use environ
 * and know no other, so it is completed for the length of the call.
 */
#include "alloc/dump.h"
#include "alloc/environment.h"
#include "alloc/meta.h"
#include "alloc/readable.h"
#include "alloc/roster.h"
#include "alloc/thread.h"
#include "dumpfmt/roster.h"

#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* One exec: what stays the same over all the paths that are tried. */
struct image {
	char *const *argv;
	char *const *envp;
	struct roster_record *record;
};

static int image_exec(const struct image *image, const char *path)
{
	kma_roster_name(image->record, path);
	return (int)syscall(SYS_execve, path, image->argv, image->envp);
}

/* A file without a header that the kernel knows is a shell script. */
static int image_exec_shell(const struct image *image, const char *path)
{
	struct image shell = *image;
	size_t count = 0;

	while (image->argv && image->argv[count])
		count++;
	size_t size = (count + 3) * sizeof(char *);
	const char **argv = alloca(size);
	memset(argv, 0, size);
	argv[0] = _PATH_BSHELL;
	argv[1] = path;
	for (size_t i = 1; i < count; i++)
		argv[i + 1] = image->argv[i];
	shell.argv = (char *const *)argv;
	return image_exec(&shell, _PATH_BSHELL);
}

static int image_exec_script(const struct image *image, const char *path)
{
	int result = image_exec(image, path);

	if (result < 0 && errno == ENOEXEC)
		result = image_exec_shell(image, path);
	return result;
}

/* Errors that say "not here", after which the search goes on. */
static bool search_goes_on(int error)
{
	return error == EACCES || error == ENOENT || error == ESTALE ||
	       error == ENOTDIR || error == ENODEV || error == ETIMEDOUT;
}

static int image_search(const struct image *image, const char *file)
{
	const char *list = getenv("PATH");
	size_t file_size = strlen(file);
	bool forbidden = false;
	char path[PATH_MAX];

	if (!list)
		list = "/bin:/usr/bin";
	errno = ENOENT;
	for (const char *next; list; list = next) {
		const char *end = strchrnul(list, ':');
		size_t size = (size_t)(end - list);

		next = *end ? end + 1 : NULL;
		if (size + 1 + file_size + 1 > sizeof(path))
			continue;
		memcpy(path, list, size);
		if (size)
			path[size++] = '/';
		memcpy(path + size, file, file_size + 1);
		image_exec_script(image, path);
		if (!search_goes_on(errno))
			return -1;
		forbidden = forbidden || errno == EACCES;
	}
	if (forbidden)
		errno = EACCES;
	return -1;
}

/* The path is for the record alone: the kernel takes the descriptor. */
static int image_exec_descriptor(const struct image *image, int fd)
{
	static const char prefix[] = "/proc/self/fd/";
	char link[sizeof(prefix) + 12], path[PATH_MAX];
	char *digit = link + sizeof(link) - 1;

	*digit = '\0';
	for (unsigned n = fd < 0 ? 0 : (unsigned)fd; digit > link; n /= 10) {
		*--digit = (char)('0' + n % 10);
		if (n < 10)
			break;
	}
	digit -= sizeof(prefix) - 1;
	memcpy(digit, prefix, sizeof(prefix) - 1);
	ssize_t size = readlink(digit, path, sizeof(path) - 1);
	path[size > 0 ? size : 0] = '\0';
	kma_roster_name(image->record, path);
	return (int)syscall(SYS_execveat, fd, "", image->argv, image->envp,
			    AT_EMPTY_PATH);
}

enum exec_how { EXEC_PATH, EXEC_SEARCH, EXEC_DESCRIPTOR };

/* What every function of the family comes down to. Returns only to fail. */
static int exec_program(enum exec_how how, const char *path, int fd,
			char *const *argv, char *const *envp)
{
	struct image image = { argv, envp, NULL };

	if (how != EXEC_DESCRIPTOR && !kma_readable_text(path))
		return (int)syscall(SYS_execve, path, argv, envp);

	bool supervised = kma_roster_active();
	size_t size = supervised ? kma_environment_size(envp) : 0;

	if (size)
		image.envp = kma_environment_fill(envp, alloca(size));
	if (supervised) {
		kma_dump_replaced();
		image.record =
			kma_roster_exec(path, kma_environment_foreign(envp));
	}
	if (how == EXEC_DESCRIPTOR)
		image_exec_descriptor(&image, fd);
	else if (how == EXEC_PATH)
		image_exec(&image, path);
	else if (strchr(path, '/') || !*path)
		image_exec_script(&image, path);
	else
		image_search(&image, path);
	kma_roster_cancel(image.record);
	return -1;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return exec_program(EXEC_PATH, path, -1, argv, envp);
}

EXPORT int execv(const char *path, char *const argv[])
{
	return exec_program(EXEC_PATH, path, -1, argv, environ);
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	return exec_program(EXEC_SEARCH, file, -1, argv, envp);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return exec_program(EXEC_SEARCH, file, -1, argv, environ);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	return exec_program(EXEC_DESCRIPTOR, "", fd, argv, envp);
}

/* Entries of an argument list that starts with first, its NULL included. */
static size_t count_arguments(const char *first, va_list *rest)
{
	size_t count = 1;

	for (const char *arg = first; arg; arg = va_arg(*rest, const char *))
		count++;
	return count;
}

static char *const *copy_arguments(const char **argv, const char *first,
				   va_list *rest)
{
	size_t count = 0;

	for (const char *arg = first; arg; arg = va_arg(*rest, const char *))
		argv[count++] = arg;
	argv[count] = NULL;
	return (char *const *)argv;
}

/* argv of an execl-like function, on the caller's stack; rest is left behind
 * the NULL, where execle has its environment. */
#define STACK_ARGUMENTS(argv, first, rest)                                     \
	do {                                                                   \
		va_start(rest, first);                                         \
		size_t count = count_arguments(first, &(rest));                \
		va_end(rest);                                                  \
		va_start(rest, first);                                         \
		(argv) = copy_arguments(alloca(count * sizeof(char *)), first, \
					&(rest));                              \
	} while (0)

EXPORT int execl(const char *path, const char *arg, ...)
{
	char *const *argv;
	va_list rest;

	STACK_ARGUMENTS(argv, arg, rest);
	va_end(rest);
	return execv(path, argv);
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	char *const *argv;
	va_list rest;

	STACK_ARGUMENTS(argv, arg, rest);
	va_end(rest);
	return execvp(file, argv);
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	char *const *argv;
	va_list rest;

	STACK_ARGUMENTS(argv, arg, rest);
	char *const *envp = va_arg(rest, char *const *);
	va_end(rest);
	return execve(path, argv, envp);
}

typedef int spawn_function(pid_t *pid, const char *path,
			   const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes,
			   char *const argv[], char *const envp[]);

/* What spawns pass on as it is. */
struct spawn {
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
	char *const *argv;
	char *const *envp;
};

static int spawn_program(const char *function, pid_t *pid, const char *path,
			 const struct spawn *spawn)
{
	spawn_function *next = (spawn_function *)dlsym(RTLD_NEXT, function);
	bool supervised = kma_roster_active();
	size_t size = supervised ? kma_environment_size(spawn->envp) : 0;
	char *const *envp = spawn->envp;
	struct roster_record *record = NULL;
	pid_t child = 0;

	if (!next)
		return ENOSYS;
	if (supervised && kma_readable_text(path))
		record = kma_roster_spawn(path, kma_environment_foreign(envp));
	if (size)
		envp = kma_environment_fill(envp, alloca(size));
	int error = next(&child, path, spawn->actions, spawn->attributes,
			 spawn->argv, envp);
	if (error)
		kma_roster_cancel(record);
	else
		kma_roster_spawned(record, (uint32_t)child);
	if (!error && pid)
		*pid = child;
	return error;
}

EXPORT int posix_spawn(pid_t *pid, const char *path,
		       const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const argv[],
		       char *const envp[])
{
	const struct spawn spawn = { actions, attributes, argv, envp };

	return spawn_program("posix_spawn", pid, path, &spawn);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file,
			const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attributes, char *const argv[],
			char *const envp[])
{
	const struct spawn spawn = { actions, attributes, argv, envp };

	return spawn_program("posix_spawnp", pid, file, &spawn);
}

/* environ, completed while the C library starts a shell with it. */
struct completion {
	char **before, **during; /* NULL: nothing was missing */
	size_t size;
};

static void environ_complete(struct completion *completion)
{
	completion->before = environ;
	completion->during = NULL;
	completion->size =
		kma_roster_active() ? kma_environment_size(environ) : 0;
	if (!completion->size)
		return;
	struct kma_thread *self = kma_thread_enter();
	void *memory = kma_meta_alloc(completion->size);
	kma_thread_leave(self);
	if (memory)
		completion->during = kma_environment_fill(environ, memory);
	if (completion->during)
		environ = completion->during;
}

/* Leaves an environ alone that another thread has replaced meanwhile, and then
 * the memory too: its entries may be in use. */
static void environ_restore(const struct completion *completion)
{
	char **during = completion->during;

	if (!during || !__atomic_compare_exchange_n(
			       &environ, &during, completion->before, false,
			       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	struct kma_thread *self = kma_thread_enter();
	kma_meta_free(during, completion->size);
	kma_thread_leave(self);
}

EXPORT int system(const char *command)
{
	int (*next)(const char *) =
		(int (*)(const char *))dlsym(RTLD_NEXT, "system");
	struct completion completion;

	if (!next) {
		errno = ENOSYS;
		return -1;
	}
	environ_complete(&completion);
	int status = next(command);
	environ_restore(&completion);
	return status;
}

EXPORT FILE *popen(const char *command, const char *mode)
{
	FILE *(*next)(const char *, const char *) =
		(FILE * (*)(const char *, const char *))
			dlsym(RTLD_NEXT, "popen");
	struct completion completion;

	if (!next) {
		errno = ENOSYS;
		return NULL;
	}
	environ_complete(&completion);
	FILE *stream = next(command, mode);
	environ_restore(&completion);
	return stream;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* kdbg ignores SIGPIPE and catches SIGINT; what it starts should not. */
static int spawn(const char *command, int input, pid_t *pid)
{
	const char *path = getenv("SHELL");
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;

	path = path && *path ? path : "/bin/sh";
	char *const argv[] = { (char *)path, (char *)"-c", (char *)command,
			       NULL };
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	if (input >= 0)
		posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	else if (!isatty(STDIN_FILENO))
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
						 "/dev/null", O_RDONLY, 0);
	int error =
		posix_spawn(pid, path, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

struct err *shell_open(struct shell *shell, const char *command, bool piped)
{
	int ends[2] = { -1, -1 };

	*shell = (struct shell){ 0 };
	if (piped && pipe2(ends, O_CLOEXEC) != 0)
		return err_new(ERR_IO, "pipe: %s", strerror(errno));
	int error = spawn(command, ends[0], &shell->pid);
	if (piped)
		close(ends[0]);
	if (!error && piped) {
		shell->stream = fdopen(ends[1], "w");
		error = shell->stream ? 0 : errno;
	}
	if (error && piped)
		close(ends[1]);
	return error ? err_new(ERR_IO, "starting the shell: %s",
			       strerror(error))
		     : NULL;
}

int shell_close(struct shell *shell)
{
	int status;

	if (shell->stream)
		fclose(shell->stream);
	while (waitpid(shell->pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

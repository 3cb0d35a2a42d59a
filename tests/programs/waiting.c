/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads that wait, each by another system call, and tell when it returns.
 *
 *	waiting		nothing they wait for happens: whoever tells was
 *disturbed waiting MIB	a heap of so many MiB, and SIGUSR1, which ends each
 *pause()
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LONG = 1000 }; /* seconds */

static const struct timespec span = { .tv_sec = LONG };

static int quiet_socket(void)
{
	const struct timeval limit = { .tv_sec = LONG };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return pair[0];
}

static void in_pause(void)
{
	pause();
}

static void in_sigsuspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigsuspend(&none);
}

static void in_sigwaitinfo(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigwaitinfo(&set, NULL);
}

static void in_sleep(void)
{
	sleep(LONG);
}

static void in_usleep(void)
{
	usleep(LONG * 1000000u);
}

static void in_nanosleep(void)
{
	struct timespec left;

	nanosleep(&span, &left);
}

static void in_sleep_until(void)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += LONG;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}

static void in_poll(void)
{
	poll(NULL, 0, LONG * 1000);
}

static void in_ppoll(void)
{
	ppoll(NULL, 0, &span, NULL);
}

static void in_select(void)
{
	struct timeval limit = { .tv_sec = LONG };

	select(0, NULL, NULL, NULL, &limit);
}

static void in_pselect(void)
{
	pselect(0, NULL, NULL, NULL, &span, NULL);
}

static void in_epoll_wait(void)
{
	struct epoll_event event;

	epoll_wait(epoll_create1(0), &event, 1, -1);
}

static void in_recv(void)
{
	char byte;

	recv(quiet_socket(), &byte, 1, 0);
}

static void in_read(void)
{
	char byte;

	if (read(quiet_socket(), &byte, 1) == 1)
		puts("read a byte");
}

static void in_semop(void)
{
	int set = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf down = { .sem_op = -1 };

	semop(set, &down, 1);
}

static void in_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} message;
	int queue = msgget(IPC_PRIVATE, 0600);

	msgrcv(queue, &message, sizeof(message.text), 0, 0);
}

static const struct wait {
	const char *name;
	void (*function)(void);
} waits[] = {
	{ "pause", in_pause },
	{ "sigsuspend", in_sigsuspend },
	{ "sigwaitinfo", in_sigwaitinfo },
	{ "sleep", in_sleep },
	{ "usleep", in_usleep },
	{ "nanosleep", in_nanosleep },
	{ "clock_nanosleep", in_sleep_until },
	{ "poll", in_poll },
	{ "ppoll", in_ppoll },
	{ "select", in_select },
	{ "pselect", in_pselect },
	{ "epoll_wait", in_epoll_wait },
	{ "recv", in_recv },
	{ "read", in_read },
	{ "semop", in_semop },
	{ "msgrcv", in_msgrcv },
};

enum { WAITS = sizeof(waits) / sizeof(waits[0]) };

static void *run(void *argument)
{
	const struct wait *wait = argument;

	wait->function();
	printf("%s returned: %s\n", wait->name, strerror(errno));
	fflush(stdout);
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
}

static void take_signals(size_t mib)
{
	for (size_t i = 0; i < mib; i++)
		memset(malloc(1 << 20), 1, 1 << 20);
	signal(SIGUSR1, on_signal);
	puts("ready");
	fflush(stdout);
	for (;;) {
		pause();
		puts("back");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		take_signals(strtoul(argv[1], NULL, 0));
	for (size_t i = 0; i < WAITS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, run, (void *)&waits[i]))
			return 1;
	}
	puts("ready");
	fflush(stdout);
	pause(); /* main's own, too */
	puts("main's pause returned");
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvd: a small key-value server, with one leak planted in it.
 *
 *	kvd PATH	listens on a unix socket, one thread for each client
 *
 *	SET key value	-> OK
 *	GET key		-> VALUE value, or NONE
 *	DEL key		-> OK, or NONE
 *	COUNT		-> COUNT n
 *	STOP		-> OK, and the server ends
 *
 * The planted leak: every request is parsed into a struct request of its own,
 * and a GET that finds nothing returns without giving it back. Everything else
 * is freed, or reachable when the server ends.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SLOTS = 1024, LINE_SIZE = 4096 };

struct entry {
	struct entry *next;
	char *key, *value;
};

struct request {
	char *verb, *key, *value; /* key and value: NULL where there is none */
};

static struct entry *slots[SLOTS];
static size_t entry_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool stopping;
static int listener;

static struct entry **find(const char *key)
{
	size_t hash = 5381;
	struct entry **link;

	for (const char *c = key; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	link = &slots[hash % SLOTS];
	while (*link && strcmp((*link)->key, key) != 0)
		link = &(*link)->next;
	return link;
}

static void store_set(const char *key, const char *value)
{
	struct entry **link = find(key);

	if (!*link) {
		*link = calloc(1, sizeof(**link));
		(*link)->key = strdup(key);
		entry_count++;
	}
	free((*link)->value);
	(*link)->value = strdup(value);
}

static bool store_delete(const char *key)
{
	struct entry **link = find(key), *entry = *link;

	if (!entry)
		return false;
	*link = entry->next;
	entry_count--;
	free(entry->key);
	free(entry->value);
	free(entry);
	return true;
}

static char *copy_word(char **rest)
{
	char *word = strsep(rest, " ");

	return word && *word ? strdup(word) : NULL;
}

static struct request *request_parse(char *line)
{
	struct request *request = malloc(sizeof(*request));

	request->verb = copy_word(&line);
	request->key = copy_word(&line);
	request->value = line ? strdup(line) : NULL;
	return request;
}

static void request_free(struct request *request)
{
	free(request->verb);
	free(request->key);
	free(request->value);
	free(request);
}

static void answer_get(FILE *client, struct request *request)
{
	struct entry *entry = *find(request->key);

	if (!entry) {
		fprintf(client, "NONE\n");
		return; /* the planted leak: request is lost */
	}
	fprintf(client, "VALUE %s\n", entry->value);
	request_free(request);
}

static void answer_others(FILE *client, struct request *request)
{
	const char *verb = request->verb ? request->verb : "";

	if (strcmp(verb, "SET") == 0 && request->key && request->value) {
		store_set(request->key, request->value);
		fprintf(client, "OK\n");
	} else if (strcmp(verb, "DEL") == 0 && request->key) {
		fprintf(client, store_delete(request->key) ? "OK\n" : "NONE\n");
	} else if (strcmp(verb, "COUNT") == 0) {
		fprintf(client, "COUNT %zu\n", entry_count);
	} else if (strcmp(verb, "STOP") == 0) {
		stopping = true;
		fprintf(client, "OK\n");
	} else {
		fprintf(client, "ERROR\n");
	}
	request_free(request);
}

static void answer(FILE *client, char *line)
{
	struct request *request;

	line[strcspn(line, "\r\n")] = '\0';
	request = request_parse(line);
	pthread_mutex_lock(&lock);
	if (request->verb && strcmp(request->verb, "GET") == 0 && request->key)
		answer_get(client, request);
	else
		answer_others(client, request);
	pthread_mutex_unlock(&lock);
}

static void *serve(void *argument)
{
	FILE *client = argument;
	char line[LINE_SIZE];

	while (!stopping && fgets(line, sizeof(line), client)) {
		answer(client, line);
		fflush(client);
	}
	if (stopping)
		shutdown(listener, SHUT_RDWR);
	fclose(client);
	return NULL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "kvd: %s: too long for a socket\n", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 64) != 0) {
		perror(path);
		return -1;
	}
	return fd;
}

/* Each client has a thread; the server ends when the last has gone. */
static void accept_clients(void)
{
	pthread_t threads[64];
	size_t count = 0;

	while (!stopping && count < 64) {
		int fd = accept(listener, NULL, NULL);
		FILE *client = fd < 0 ? NULL : fdopen(fd, "r+");

		if (!client)
			break;
		if (pthread_create(&threads[count], NULL, serve, client) != 0)
			fclose(client);
		else
			count++;
	}
	while (count)
		pthread_join(threads[--count], NULL);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: kvd PATH\n");
		return 2;
	}
	listener = listen_at(argv[1]);
	if (listener < 0)
		return 1;
	accept_clients();
	close(listener);
	unlink(argv[1]);
	return 0;
}

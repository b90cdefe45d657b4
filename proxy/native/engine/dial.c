/*
 * Connecting to the addresses of a relay verdict, one after the other, each within the verdict's time.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

void dial_keepalive(struct engine *engine, int fd)
{
	int seconds = engine->limits.keepalive_seconds, on = seconds > 0;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	if (on)
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
}

static void give_up(struct connection *connection)
{
	close(connection->upstream.fd);
	connection->upstream.fd = -1;
	own_remove(connection);
}

/* Errors of this side: what the destination is like was never found out. */
static bool is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL;
}

static int open_socket(struct connection *connection, const union address *to)
{
	struct engine *engine = connection->engine;
	struct end *end = &connection->upstream;
	socklen_t length = to->any.sa_family == AF_INET6 ? sizeof to->in6 : sizeof to->in;
	int on = 1;

	*end = (struct end){.connection = connection};
	end->fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (end->fd < 0)
		return errno;
	setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (engine->limits.keepalive_seconds)
		dial_keepalive(engine, end->fd);
	if (connect(end->fd, &to->any, length) < 0 && errno != EINPROGRESS)
		return errno;
	own_add(connection, to);
	return loop_register(engine, end, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void try_next(struct connection *connection)
{
	struct command *dial = connection->dial;

	while (connection->address + 1 < (int32_t)dial->relay.count) {
		int error = open_socket(connection, &dial->relay.addresses[++connection->address]);

		if (!error) {
			deadline_set(connection, connection->engine->now_ms + dial->relay.connect_ms);
			return;
		}
		connection->dial_error = error;
		if (connection->upstream.fd >= 0)
			give_up(connection);
	}
	connection_end(connection, is_ours(connection->dial_error) ? ENGINE : UPSTREAM, FAILED, connection->dial_error);
}

void dial_start(struct connection *connection, struct command *relay)
{
	connection->state = DIALLING;
	connection->dial = relay;
	connection->dial_error = EDESTADDRREQ;
	try_next(connection);
}

static void next_after(struct connection *connection, int error)
{
	connection->dial_error = error;
	give_up(connection);
	try_next(connection);
}

void dial_event(struct connection *connection)
{
	struct end *upstream = &connection->upstream;
	int error = 0;
	socklen_t length = sizeof error;
	bool show;

	if (connection->app.failed) {
		connection_end(connection, APP, RESET, ECONNRESET);
		return;
	}
	if (!upstream->writable && !upstream->failed)
		return;
	/* A failed connect is writable too, but never without EPOLLERR (tcp_poll in net/ipv4/tcp.c). */
	if (upstream->failed && getsockopt(upstream->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	if (error) {
		next_after(connection, error);
		return;
	}
	upstream->failed = false;
	connection->connected_us = clock_us();
	show = connection->dial->relay.show;
	free(connection->dial);
	connection->dial = NULL;
	relay_start(connection, show);
}

void dial_timeout(struct connection *connection)
{
	next_after(connection, ETIMEDOUT);
}

/* When the connection ends, at whatever stage. */
void dial_forget(struct connection *connection)
{
	own_remove(connection);
	free(connection->dial);
	connection->dial = NULL;
}

/*
 * Connecting to the addresses of a relay verdict, one after the other, each within the verdict's time. A socket of ours
 * that comes back to our own listener, because the redirect does not spare us, is known by its two ends.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static uint16_t port_of(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port);
}

static void set_options(struct engine *engine, int fd)
{
	int on = 1, seconds = engine->limits.keepalive_seconds;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!seconds)
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
}

static void remember_port(struct connection *connection, const union address *to)
{
	struct engine *engine = connection->engine;
	socklen_t length = sizeof connection->own_source;

	if (getsockname(connection->upstream.fd, &connection->own_source.any, &length) < 0)
		return;
	connection->dialled = *to;
	connection->own_port = port_of(&connection->own_source);
	if (engine->own_ports[connection->own_port] < UINT8_MAX)
		engine->own_ports[connection->own_port]++;
}

static void forget_port(struct connection *connection)
{
	uint8_t *count = &connection->engine->own_ports[connection->own_port];

	/* A count that has reached its end stays: it only makes dial_is_own look closer. */
	if (connection->own_port && *count < UINT8_MAX)
		--*count;
	connection->own_port = 0;
}

/*
 * Both ends have to be the same: an app's socket may well have the local port of one of ours, to another destination.
 * The count by port spares the search where it cannot be.
 */
bool dial_is_own(struct engine *engine, const union address *source, const union address *destination)
{
	uint16_t port = port_of(source);

	if (!engine->own_ports[port])
		return false;
	for (uint32_t slot = 0; slot < engine->slot_count; slot++) {
		struct connection *connection = engine->slots[slot];

		if (connection && connection->own_port == port && address_equal(&connection->own_source, source) &&
		    address_equal(&connection->dialled, destination))
			return true;
	}
	return false;
}

static void give_up(struct connection *connection)
{
	close(connection->upstream.fd);
	connection->upstream.fd = -1;
	forget_port(connection);
}

/* Errors of our own, which no other address would mend. */
static bool is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL;
}

static int open_socket(struct connection *connection, const union address *to)
{
	struct engine *engine = connection->engine;
	struct end *end = &connection->upstream;
	socklen_t length = to->any.sa_family == AF_INET6 ? sizeof to->in6 : sizeof to->in;

	*end = (struct end){.connection = connection};
	end->fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (end->fd < 0)
		return errno;
	set_options(engine, end->fd);
	if (connect(end->fd, &to->any, length) < 0 && errno != EINPROGRESS)
		return errno;
	remember_port(connection, to);
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

	if (connection->app.failed) {
		connection_end(connection, APP, RESET, ECONNRESET);
		return;
	}
	if (!upstream->writable && !upstream->failed)
		return;
	if (getsockopt(upstream->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	if (error) {
		next_after(connection, error);
		return;
	}
	upstream->failed = false;
	connection->connected_us = clock_us();
	free(connection->dial);
	connection->dial = NULL;
	set_options(connection->engine, connection->app.fd);
	relay_start(connection);
}

void dial_timeout(struct connection *connection)
{
	next_after(connection, ETIMEDOUT);
}

/* When the connection ends, at whatever stage. */
void dial_forget(struct connection *connection)
{
	forget_port(connection);
	free(connection->dial);
	connection->dial = NULL;
}

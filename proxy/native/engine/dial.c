/*
 * Connecting to the addresses of a dial, as RFC 8305 §5 has it: in their order, the next one begun when the last one
 * begun has failed or has been silent for the attempt delay. Those begun earlier go on, each within the dial's time; the
 * first that connects is relayed to, and the others are closed. For a held connection it is the same, but that JavaScript
 * gets the one that has connected, or is told that none has, and the connection is held as before.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ATTEMPT_DELAY_MS = 250 }; /* RFC 8305 §5 and §8: the Connection Attempt Delay */

/* JavaScript has the app's socket: of the connection, the dial is all that the engine sees. */
static bool is_held(const struct connection *connection)
{
	return connection->app.fd < 0;
}

void dial_keepalive(struct engine *engine, int fd)
{
	int seconds = engine->limits.keepalive_seconds, on = seconds > 0;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	if (on)
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
}

/* Errors of this side: what the destination is like was never found out. */
static bool is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL;
}

/* As if it had passed a router: by that an accepted socket of our own making is known (own.c). */
static void set_hops(int fd, int family)
{
	int hops = OWN_HOPS;

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops);
	else
		setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
}

static int open_socket(struct attempt *attempt, const union address *to)
{
	struct engine *engine = attempt->end.connection->engine;
	int on = 1, fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	attempt->end.fd = fd;
	if (fd < 0)
		return errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	set_hops(fd, to->any.sa_family);
	if (engine->limits.keepalive_seconds)
		dial_keepalive(engine, fd);
	error = own_connect(attempt, to);
	return error ? error : loop_register(engine, &attempt->end, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

/* Off the list; what epoll reported in this round may still point to it, so that it is freed when the round is over. */
static void drop(struct attempt **at, bool reset)
{
	struct attempt *attempt = *at;
	struct engine *engine = attempt->end.connection->engine;

	*at = attempt->next;
	own_remove(attempt);
	end_close(&attempt->end, reset);
	attempt->next = engine->dropped;
	engine->dropped = attempt;
}

/* What its record says until there is a better answer: of the address begun or failed last. */
static void note(struct connection *connection, int32_t address, int error)
{
	connection->address = address;
	connection->dial_error = error;
}

/* Begins with the next address with which that can be done; with none when there is no other. */
static void begin_next(struct connection *connection)
{
	const struct command *dial = connection->dial;
	uint64_t now_ms = connection->engine->now_ms;

	while (connection->next_address < dial->dial.count) {
		const union address *to = &dial->dial.addresses[connection->next_address];
		struct attempt **last = &connection->attempts, *attempt = calloc(1, sizeof *attempt);
		int error = ENOMEM;

		while (*last)
			last = &(*last)->next;
		if (attempt) {
			*attempt = (struct attempt){
				.end = {.connection = connection, .fd = -1},
				.address = connection->next_address,
				.until_ms = now_ms + dial->dial.connect_ms,
			};
			*last = attempt;
			error = open_socket(attempt, to);
		}
		note(connection, connection->next_address++, error);
		if (!error) {
			connection->next_attempt_ms = now_ms + ATTEMPT_DELAY_MS;
			return;
		}
		if (attempt)
			drop(last, true);
	}
}

static void fail(struct attempt **at, int error)
{
	struct attempt *attempt = *at;
	struct connection *connection = attempt->end.connection;
	bool is_last = !attempt->next;

	note(connection, attempt->address, error);
	drop(at, true);
	if (is_last)
		begin_next(connection);
}

static void dial_over(struct connection *connection)
{
	free(connection->dial);
	connection->dial = NULL;
}

/* The descriptor, or -1; how the connection ends is not of the engine's making, and does not tell of this dial. */
static void hand_over(struct connection *connection, int fd)
{
	emit(connection->engine, DIALLED, &(struct event){
		.id = connection->id,
		.handed = {
			.fd = fd,
			.error = connection->dial_error,
			.address = connection->address,
			.connect_us = clock_us() - connection->dial_us,
		}});
	dial_over(connection);
	connection->state = HELD;
	connection->address = -1;
	deadline_set(connection, 0);
}

/* With what failed last. */
static void give_up(struct connection *connection)
{
	enum side by = is_ours(connection->dial_error) ? ENGINE : UPSTREAM;

	if (is_held(connection))
		hand_over(connection, -1);
	else
		connection_end(connection, by, FAILED, connection->dial_error);
}

/* Waits for what comes next; where nothing can, the dial has failed. */
static void carry_on(struct connection *connection)
{
	uint64_t deadline_ms = UINT64_MAX;

	if (!connection->attempts) {
		give_up(connection);
		return;
	}
	if (connection->next_address < connection->dial->dial.count)
		deadline_ms = connection->next_attempt_ms;
	for (struct attempt *attempt = connection->attempts; attempt; attempt = attempt->next)
		if (attempt->until_ms < deadline_ms)
			deadline_ms = attempt->until_ms;
	deadline_set(connection, deadline_ms);
}

void dial_start(struct connection *connection, struct command *dial)
{
	dial_forget(connection, false); /* what an earlier one has handed over */
	connection->state = DIALLING;
	connection->dial = dial;
	connection->dial_us = clock_us();
	connection->dial_error = EDESTADDRREQ;
	connection->next_address = 0;
	begin_next(connection);
	carry_on(connection);
}

static void win(struct connection *connection, struct attempt *winner)
{
	bool show = connection->dial->dial.show;

	for (struct attempt **at = &connection->attempts; *at;)
		if (*at == winner)
			at = &winner->next;
		else
			drop(at, true);
	note(connection, winner->address, 0);
	if (is_held(connection)) {
		hand_over(connection, end_hand_over(&winner->end));
		return;
	}
	winner->end.failed = false;
	connection->connected_us = clock_us();
	dial_over(connection);
	relay_start(connection, show);
}

/*
 * 0: connected; EINPROGRESS: not yet. A failed connect is writable too, but never without EPOLLERR (tcp_poll in
 * net/ipv4/tcp.c).
 */
static int result_of(struct attempt *attempt)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (!attempt->end.writable && !attempt->end.failed)
		return EINPROGRESS;
	if (attempt->end.failed && getsockopt(attempt->end.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	return error;
}

void dial_event(struct connection *connection)
{
	if (connection->app.failed && !is_held(connection)) {
		connection_end(connection, APP, RESET, ECONNRESET);
		return;
	}
	for (struct attempt **at = &connection->attempts; *at;) {
		int error = result_of(*at);

		if (!error) {
			win(connection, *at);
			return;
		}
		if (error == EINPROGRESS)
			at = &(*at)->next;
		else
			fail(at, error);
	}
	carry_on(connection);
}

void dial_deadline(struct connection *connection)
{
	uint64_t now_ms = connection->engine->now_ms;

	for (struct attempt **at = &connection->attempts; *at;)
		if ((*at)->until_ms <= now_ms)
			fail(at, ETIMEDOUT);
		else
			at = &(*at)->next;
	if (connection->next_attempt_ms <= now_ms)
		begin_next(connection);
	carry_on(connection);
}

/* When the connection ends, at whatever stage. */
void dial_forget(struct connection *connection, bool reset)
{
	while (connection->attempts)
		drop(&connection->attempts, reset);
	dial_over(connection);
}

void dial_sweep(struct engine *engine)
{
	while (engine->dropped) {
		struct attempt *attempt = engine->dropped;

		engine->dropped = attempt->next;
		free(attempt);
	}
}

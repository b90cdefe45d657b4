/* What JavaScript may say of a connection that waits for it; of one that is gone, or busy, it says nothing. */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* JavaScript has the word again. */
static void wait_for_verdict(struct connection *connection)
{
	struct engine *engine = connection->engine;

	connection->state = WAITING;
	deadline_set(connection, engine->limits.verdict_ms ? engine->now_ms + engine->limits.verdict_ms : 0);
}

static bool is_peeked_first(const struct engine *engine, const struct event *accepted)
{
	const union address *to = &accepted->accepted.destination;
	uint16_t port = ntohs(to->any.sa_family == AF_INET6 ? to->in6.sin6_port : to->in.sin_port);

	return engine->peek_first && !accepted->accepted.own && !accepted->accepted.error &&
	       engine->peek_first[port / 8] & 1 << port % 8;
}

/*
 * A new connection: JavaScript is told at once, or together with the first bytes where it would only ask for them. Until
 * then the connection counts as an open one, and its time for a verdict has not begun.
 */
void verdict_await(struct connection *connection, const struct event *accepted)
{
	struct engine *engine = connection->engine;

	if (is_peeked_first(engine, accepted) && (connection->untold = malloc(sizeof *accepted))) {
		*connection->untold = *accepted;
		connection->state = PEEKING;
		deadline_set(connection, engine->now_ms + engine->peek_first_ms);
		return;
	}
	emit(engine, ACCEPTED, accepted);
	wait_for_verdict(connection);
}

/* Reports what has come when it is more than was seen before, the last there is, or all there is when time is up. */
void verdict_peek(struct connection *connection)
{
	struct engine *engine = connection->engine;
	bool timed_out = connection->deadline_ms == 0;
	struct event event = {.id = connection->id};
	ssize_t n;

	if (!connection->app.readable && !timed_out)
		return;
	n = recv(connection->app.fd, engine->buffer, MAX_HEAD, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		connection_end(connection, APP, RESET, errno);
		return;
	}
	if (n < 0)
		n = 0;
	event.head.ended = connection->app.hung_up;
	event.head.timed_out = timed_out;
	if (n <= connection->more_than && !event.head.ended && !timed_out)
		return;
	event.head.length = n;
	event.head.bytes = malloc(n ? n : 1);
	if (!event.head.bytes) {
		connection_end(connection, ENGINE, FAILED, ENOMEM);
		return;
	}
	memcpy(event.head.bytes, engine->buffer, n);
	if (connection->untold) {
		connection->untold->head = event.head;
		connection_tell(connection);
	} else {
		emit(engine, HEAD, &event);
	}
	wait_for_verdict(connection);
}

static void peek(struct connection *connection, const struct command *command)
{
	connection->state = PEEKING;
	connection->more_than = command->peek.more_than;
	deadline_set(connection, connection->engine->now_ms + (command->peek.wait_ms ? command->peek.wait_ms : 1));
	verdict_peek(connection);
}

/* Reads and drops what the app still says: closing with unread bytes would reset the answer away (RFC 1122 §4.2.2.13). */
void verdict_linger(struct connection *connection)
{
	for (int turn = 0; turn < 16; turn++) {
		ssize_t n = recv(connection->app.fd, connection->engine->buffer, MAX_HEAD, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			connection_end(connection, ENGINE, REFUSED, 0);
			return;
		}
	}
	loop_ready(connection);
}

static void refuse(struct connection *connection, const struct command *command)
{
	if (!command->refuse.bytes ||
	    send(connection->app.fd, command->refuse.bytes, command->refuse.length, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		    (ssize_t)command->refuse.length) {
		connection_end(connection, ENGINE, REFUSED, 0);
		return;
	}
	shutdown(connection->app.fd, SHUT_WR);
	connection->state = LINGERING;
	deadline_set(connection, connection->engine->now_ms + LINGER_MS);
	verdict_linger(connection);
}

/* Nothing has been read from it. How long it is silent, and when it is over, is JavaScript's to say from here on. */
static void release(struct connection *connection)
{
	emit(connection->engine, RELEASED, &(struct event){
		.id = connection->id,
		.handed = {.fd = end_hand_over(&connection->app)}});
	connection->state = HELD;
	deadline_set(connection, 0);
}

static void obey_all(struct engine *engine, enum command_type type)
{
	for (uint32_t slot = 0; slot < engine->slot_count; slot++) {
		struct connection *connection = engine->slots[slot];

		if (connection && type == CLOSE)
			connection_end(connection, ENGINE, CLOSED, 0);
		else if (connection && type == REPORT && !connection->untold)
			emit(engine, LIVE, &(struct event){
				.id = connection->id,
				.live = {
					.sent = connection->sent.bytes,
					.received = connection->received.bytes,
					.address = connection->state == RELAYING ? connection->address : -1,
				}});
	}
}

void verdict_close_all(struct engine *engine)
{
	obey_all(engine, CLOSE);
}

/* Any connection can be closed, and one that is held dialled for; all else is for one that waits for a verdict. */
static bool is_possible(const struct connection *connection, enum command_type type)
{
	return connection && (type == CLOSE || connection->state == (type == DIAL ? HELD : WAITING));
}

/* True when the command has been taken over and must not be freed. */
static bool obey_for(struct connection *connection, struct command *command)
{
	switch (command->type) {
	case CLOSE:
		connection_end(connection, ENGINE, CLOSED, 0);
		break;
	case PEEK:
		peek(connection, command);
		break;
	case RELAY:
	case DIAL:
		dial_start(connection, command);
		return true;
	case REFUSE:
		refuse(connection, command);
		break;
	case RELEASE:
		release(connection);
		break;
	default:
		break;
	}
	return false;
}

void verdict_obey(struct engine *engine, struct command *command)
{
	struct connection *connection = connection_find(engine, command->id);
	bool taken = false;

	switch (command->type) {
	case LIMIT:
		engine->limits = command->limits;
		listener_keepalive(engine);
		break;
	case PAUSE:
	case RESUME:
		listener_pause(engine, command->type == PAUSE);
		break;
	case STOP:
		engine->stopping = true;
		break;
	case REPORT:
		obey_all(engine, REPORT);
		emit(engine, REPORTED, &(struct event){0});
		break;
	case PEEK_FIRST:
		free(engine->peek_first);
		engine->peek_first = command->peek_first.ports;
		engine->peek_first_ms = command->peek_first.wait_ms;
		command->peek_first.ports = NULL;
		break;
	case CLOSE_ALL:
		obey_all(engine, CLOSE);
		break;
	default:
		if (is_possible(connection, command->type))
			taken = obey_for(connection, command);
		else if (command->type == PEEK || command->type == RELEASE || command->type == DIAL)
			emit(engine, GONE, &(struct event){.id = command->id});
	}
	/* What has been taken over may have been freed by now. */
	if (!taken)
		command_free(command);
}

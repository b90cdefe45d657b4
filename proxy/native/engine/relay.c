/*
 * Both directions of a connection, each a flow: small reads are copied, so that an idle connection holds nothing; a flow
 * whose reads are large splices through a pipe for as long as they stay large. A flow that its reader holds up stops
 * being read: memory is bounded by what one read took. Truth before speed: nothing read is ever dropped while both sides
 * live, an end is passed on as an end of that direction only, and a reset as a reset.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum progress {
	WAITS,  /* for the kernel to say more */
	YIELDS, /* has had its turn and could go on */
	BROKEN, /* a side has failed: errno */
};

static ssize_t put(struct flow *flow, const uint8_t *bytes, size_t length)
{
	ssize_t n = send(flow->to->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		flow->bytes += n;
	if (n < (ssize_t)length && (n >= 0 || errno == EAGAIN))
		flow->to->writable = false;
	return n;
}

/* Writes what is held back. True when nothing is any more; *broken when the reader has failed. */
static bool drain(struct engine *engine, struct flow *flow, bool *broken)
{
	while (flow->held && flow->to->writable) {
		ssize_t n = put(flow, flow->held + flow->held_at, flow->held_until - flow->held_at);

		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			*broken = true;
			return false;
		}
		if (n > 0)
			flow->held_at += n;
		if (flow->held_at == flow->held_until) {
			free(flow->held);
			flow->held = NULL;
		}
	}
	while (flow->piped && flow->to->writable) {
		ssize_t n = splice(flow->pipe->out, NULL, flow->to->fd, NULL, flow->piped,
				   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

		if (n > 0) {
			flow->bytes += n;
			flow->piped -= n;
		} else if (n < 0 && errno == EAGAIN) {
			flow->to->writable = false;
		} else if (n == 0 || errno != EINTR) {
			*broken = true;
			return false;
		}
	}
	if (flow->pipe && !flow->piped && !flow->from->readable) {
		pipe_put(engine, flow->pipe, true);
		flow->pipe = NULL;
	}
	return !flow->held && !flow->piped;
}

/* Fills the pipe from the socket. The pipe is empty, so EAGAIN speaks of the socket. */
static ssize_t fill(struct engine *engine, struct flow *flow)
{
	ssize_t n = splice(flow->from->fd, NULL, flow->pipe->in, NULL, PIPE_BYTES, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n > 0)
		flow->piped = n;
	if (n < SPLICE_UNTIL && (n >= 0 || errno == EAGAIN)) {
		flow->splicing = n < 0 && flow->splicing; /* EAGAIN says nothing of the size of reads */
		if (n <= 0) {
			pipe_put(engine, flow->pipe, true);
			flow->pipe = NULL;
		}
	}
	return n;
}

/* A copy for JavaScript of what was read first. It is a courtesy: without memory for it, it is left out. */
static void show(struct engine *engine, struct flow *flow, size_t length)
{
	struct event event = {.id = flow->from->connection->id};

	flow->show = false;
	event.head.length = length < MAX_SAID ? length : MAX_SAID;
	event.head.bytes = malloc(event.head.length);
	if (!event.head.bytes)
		return;
	memcpy(event.head.bytes, engine->buffer, event.head.length);
	emit(engine, SAID, &event);
}

static ssize_t copy(struct engine *engine, struct flow *flow, bool *broken)
{
	ssize_t n = recv(flow->from->fd, engine->buffer, COPY_BYTES, MSG_DONTWAIT);
	ssize_t taken;

	if (n <= 0)
		return n;
	if (flow->show)
		show(engine, flow, n);
	if (n >= SPLICE_FROM)
		flow->splicing = true;
	/* A short read has emptied the socket (epoll(7)); what comes later is a new edge. */
	if (n < COPY_BYTES && !flow->from->hung_up && !flow->from->failed)
		flow->from->readable = false;
	taken = put(flow, engine->buffer, n);
	if (taken < 0 && errno != EAGAIN && errno != EINTR) {
		*broken = true;
		return n;
	}
	if (taken < 0)
		taken = 0;
	if (taken < n) {
		flow->held = malloc(n - taken);
		if (!flow->held) {
			errno = ENOMEM;
			*broken = true;
			return n;
		}
		memcpy(flow->held, engine->buffer + taken, n - taken);
		flow->held_at = 0;
		flow->held_until = n - taken;
	}
	return n;
}

/* Moves what can be moved now, and passes an end on. `*failed` is the end whose call failed when BROKEN. */
static enum progress move(struct engine *engine, struct flow *flow, struct end **failed)
{
	uint64_t turn_over = flow->bytes + TURN_BYTES;

	for (;;) {
		bool broken = false;
		ssize_t n;

		if (!drain(engine, flow, &broken)) {
			*failed = flow->to;
			return broken ? BROKEN : WAITS;
		}
		if (flow->ended) {
			if (!flow->passed_on)
				shutdown(flow->to->fd, SHUT_WR);
			flow->passed_on = true;
			return WAITS;
		}
		if (!flow->from->readable)
			return WAITS;
		if (flow->bytes >= turn_over)
			return YIELDS;
		if (flow->splicing && !flow->pipe)
			flow->pipe = pipe_get(engine);
		n = flow->pipe ? fill(engine, flow) : copy(engine, flow, &broken);
		if (broken) {
			*failed = flow->to;
			return BROKEN;
		}
		if (n == 0)
			flow->ended = true;
		if (n < 0 && errno == EAGAIN)
			flow->from->readable = false;
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			*failed = flow->from;
			return BROKEN;
		}
	}
}

static enum side side_of(struct connection *connection, struct end *end)
{
	return end == &connection->app ? APP : UPSTREAM;
}

static void note_end(struct connection *connection, struct flow *flow)
{
	if (!flow->ended || connection->one_ended)
		return;
	connection->one_ended = true;
	connection->first_end = side_of(connection, flow->from);
	/* An end is a sign of life: the half-closed time counts from it, however long the connection idled before. */
	connection->active_ms = connection->engine->now_ms;
	relay_deadline(connection);
}

/* A reset behind data that cannot be passed on, or after an end: nobody will read into it. True: it was one. */
static bool failed_unread(struct connection *connection, struct end *end)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (!end->failed)
		return false;
	end->failed = false;
	if (getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || !error)
		return false;
	connection_end(connection, side_of(connection, end), RESET, error);
	return true;
}

/*
 * One direction has failed. What the side that failed had said before is still in its buffer, and may be why it did: an
 * answer to a request that it would not read to the end. It is passed on before the reset is.
 */
static void break_off(struct connection *connection, struct flow *other, struct end *failed, int error)
{
	struct end *ignored = NULL;

	failed->readable = true; /* epoll may not have said so yet */
	while (other->from == failed && move(connection->engine, other, &ignored) == YIELDS)
		;
	connection_end(connection, side_of(connection, failed), RESET, error);
}

void relay_move(struct connection *connection)
{
	struct engine *engine = connection->engine;
	struct flow *flows[] = {&connection->sent, &connection->received};
	uint64_t before = connection->sent.bytes + connection->received.bytes;
	bool yields = false;

	for (int i = 0; i < 2; i++) {
		struct end *failed = NULL;
		enum progress progress = move(engine, flows[i], &failed);

		if (progress == BROKEN) {
			break_off(connection, flows[1 - i], failed, errno);
			return;
		}
		yields |= progress == YIELDS;
	}
	if (connection->sent.bytes + connection->received.bytes != before)
		connection->active_ms = engine->now_ms;
	note_end(connection, flows[0]);
	note_end(connection, flows[1]);
	if (yields)
		loop_ready(connection);
	else if (failed_unread(connection, &connection->app) || failed_unread(connection, &connection->attempts->end))
		return;
	else if (connection->sent.passed_on && connection->received.passed_on)
		connection_end(connection, connection->first_end, ENDED, 0);
}

void relay_start(struct connection *connection, bool show)
{
	struct end *app = &connection->app, *upstream = &connection->attempts->end;

	connection->state = RELAYING;
	connection->sent = (struct flow){.from = app, .to = upstream, .show = show};
	connection->received = (struct flow){.from = upstream, .to = app};
	/* Assumed until a call says otherwise: edges may have come before anybody was interested. */
	app->readable = app->writable = true;
	upstream->readable = upstream->writable = true;
	connection->active_ms = connection->engine->now_ms;
	relay_deadline(connection);
	relay_move(connection);
}

/* Idle too long ends it; otherwise this comes again when it next could have been. */
void relay_deadline(struct connection *connection)
{
	const struct limits *limits = &connection->engine->limits;
	uint32_t limit = connection->one_ended ? limits->half_closed_ms : limits->idle_ms;
	uint64_t due = connection->active_ms + limit;

	if (!limit)
		deadline_set(connection, 0);
	else if (due > connection->engine->now_ms)
		deadline_set(connection, due);
	else
		connection_end(connection, ENGINE, TIMED_OUT, ETIMEDOUT);
}

void flow_clear(struct engine *engine, struct flow *flow)
{
	free(flow->held);
	flow->held = NULL;
	if (flow->pipe)
		pipe_put(engine, flow->pipe, flow->piped == 0);
	flow->pipe = NULL;
	flow->piped = 0;
}

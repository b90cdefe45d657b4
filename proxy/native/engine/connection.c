/*
 * A connection from accept to its one end. Its id holds its slot and how often the slot was used, so that a verdict on
 * a connection that is gone finds nothing; it takes 48 bits, which a JavaScript number holds with room to spare. What
 * epoll reported in the same batch may still point to a connection that has ended: it is freed by connection_sweep, when
 * the batch is over.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { SLOT_BITS = 20, GENERATION_BITS = 28, FIRST_SLOTS = 256 };

/* Room for more connections, and for each in the heap; false when there is none. */
static bool grow(struct engine *engine)
{
	uint32_t count = engine->slot_count ? engine->slot_count * 2 : FIRST_SLOTS;
	void *slots, *generations, *free_slots, *heap;

	if (count > 1u << SLOT_BITS)
		return false;
	/* What has been enlarged stays so; a failure in between leaves everything usable. */
	if (!(slots = realloc(engine->slots, count * sizeof *engine->slots)))
		return false;
	engine->slots = slots;
	if (!(generations = realloc(engine->generations, count * sizeof *engine->generations)))
		return false;
	engine->generations = generations;
	if (!(free_slots = realloc(engine->free_slots, count * sizeof *engine->free_slots)))
		return false;
	engine->free_slots = free_slots;
	if (!(heap = realloc(engine->heap, count * sizeof *engine->heap)))
		return false;
	engine->heap = heap;
	for (uint32_t slot = count; slot-- > engine->slot_count;) {
		engine->slots[slot] = NULL;
		engine->generations[slot] = 0;
		engine->free_slots[engine->free_count++] = slot;
	}
	engine->slot_count = count;
	return true;
}

/* Takes the descriptor; NULL, and the descriptor stays the caller's, when there is no memory. */
struct connection *connection_new(struct engine *engine, int fd)
{
	struct connection *connection;
	uint32_t slot;

	if (!engine->free_count && !grow(engine))
		return NULL;
	connection = calloc(1, sizeof *connection);
	if (!connection)
		return NULL;
	slot = engine->free_slots[--engine->free_count];
	engine->slots[slot] = connection;
	engine->open++;
	connection->engine = engine;
	connection->slot = slot;
	/* Never 0: no connection has the id 0. */
	engine->generations[slot] = engine->generations[slot] % ((1u << GENERATION_BITS) - 1) + 1;
	connection->id = (uint64_t)engine->generations[slot] << SLOT_BITS | slot;
	connection->state = WAITING;
	connection->address = -1;
	connection->app = (struct end){.connection = connection, .fd = fd};
	connection->accepted_us = clock_us();
	return connection;
}

struct connection *connection_find(struct engine *engine, uint64_t id)
{
	uint32_t slot = id & ((1u << SLOT_BITS) - 1);

	if (slot >= engine->slot_count || !engine->slots[slot] || engine->slots[slot]->id != id)
		return NULL;
	return engine->slots[slot];
}

void end_close(struct end *end, bool reset)
{
	/* SO_LINGER of zero makes close send RST and drop what is unsent (tcp(7)). */
	struct linger linger = {.l_onoff = 1};

	if (end->fd < 0)
		return;
	if (reset)
		setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(end->fd);
	end->fd = -1;
}

/* JavaScript's from here on, with every byte that is in it; what epoll has reported already finds no descriptor. */
int end_hand_over(struct end *end)
{
	int fd = end->fd;

	epoll_ctl(end->connection->engine->epoll, EPOLL_CTL_DEL, fd, NULL);
	end->fd = -1;
	return fd;
}

/* JavaScript hears of it now at the latest, where that was put off. */
void connection_tell(struct connection *connection)
{
	if (connection->untold)
		emit(connection->engine, ACCEPTED, connection->untold);
	free(connection->untold);
	connection->untold = NULL;
}

void connection_end(struct connection *connection, enum side by, enum ending how, int error)
{
	struct engine *engine = connection->engine;
	uint64_t now_us = clock_us();
	bool in_order = how == ENDED || (how == REFUSED && connection->state == LINGERING);

	if (connection->state == OVER)
		return;
	end_close(&connection->app, !in_order);
	dial_forget(connection, !in_order);
	deadline_set(connection, 0);
	flow_clear(engine, &connection->sent);
	flow_clear(engine, &connection->received);
	connection_tell(connection);
	emit(engine, FINISHED, &(struct event){
		.id = connection->id,
		.finished = {
			.sent = connection->sent.bytes,
			.received = connection->received.bytes,
			.connect_us = connection->connected_us ? connection->connected_us - connection->accepted_us : 0,
			.total_us = now_us - connection->accepted_us,
			.address = connection->address,
			.error = error,
			.by = by,
			.how = how,
		}});
	connection->state = OVER;
	engine->slots[connection->slot] = NULL;
	engine->free_slots[engine->free_count++] = connection->slot;
	engine->open--;
	connection->next_over = engine->over;
	engine->over = connection;
}

/* One of its sockets has something to say. */
void connection_event(struct connection *connection)
{
	switch (connection->state) {
	case WAITING:
		if (connection->app.failed)
			connection_end(connection, APP, RESET, ECONNRESET);
		break;
	case PEEKING:
		verdict_peek(connection);
		break;
	case DIALLING:
		dial_event(connection);
		break;
	case RELAYING:
		relay_move(connection);
		break;
	case LINGERING:
		verdict_linger(connection);
		break;
	case HELD:
	case OVER:
		break;
	}
}

void connection_deadline(struct connection *connection)
{
	switch (connection->state) {
	case WAITING:
		connection_end(connection, ENGINE, TIMED_OUT, ETIMEDOUT);
		break;
	case PEEKING:
		deadline_set(connection, 0);
		verdict_peek(connection);
		break;
	case DIALLING:
		dial_deadline(connection);
		break;
	case RELAYING:
		relay_deadline(connection);
		break;
	case LINGERING:
		connection_end(connection, ENGINE, REFUSED, 0);
		break;
	case HELD:
	case OVER:
		break;
	}
}

void connection_sweep(struct engine *engine)
{
	struct connection *connection = engine->over;

	engine->over = NULL;
	while (connection) {
		struct connection *next = connection->next_over;

		if (connection->is_ready) { /* the ready list still holds it */
			connection->next_over = engine->over;
			engine->over = connection;
		} else {
			free(connection);
		}
		connection = next;
	}
}

/* A binary heap of connections by deadline. Room for every slot is made when slots are (connection.c). */
#include "engine.h"

static void place(struct engine *engine, uint32_t index, struct connection *connection)
{
	engine->heap[index] = connection;
	connection->heap_index = index;
}

static void rise(struct engine *engine, uint32_t index, struct connection *connection)
{
	while (index > 0) {
		uint32_t parent = (index - 1) / 2;

		if (engine->heap[parent]->deadline_ms <= connection->deadline_ms)
			break;
		place(engine, index, engine->heap[parent]);
		index = parent;
	}
	place(engine, index, connection);
}

static void sink(struct engine *engine, uint32_t index, struct connection *connection)
{
	for (;;) {
		uint32_t child = 2 * index + 1;

		if (child >= engine->heap_count)
			break;
		if (child + 1 < engine->heap_count &&
		    engine->heap[child + 1]->deadline_ms < engine->heap[child]->deadline_ms)
			child++;
		if (connection->deadline_ms <= engine->heap[child]->deadline_ms)
			break;
		place(engine, index, engine->heap[child]);
		index = child;
	}
	place(engine, index, connection);
}

static void take_out(struct engine *engine, struct connection *connection)
{
	uint32_t index = connection->heap_index;
	struct connection *last = engine->heap[--engine->heap_count];

	if (last == connection)
		return;
	sink(engine, index, last);
	rise(engine, last->heap_index, last);
}

void deadline_set(struct connection *connection, uint64_t at_ms)
{
	struct engine *engine = connection->engine;

	if (connection->deadline_ms)
		take_out(engine, connection);
	connection->deadline_ms = at_ms;
	if (at_ms)
		rise(engine, engine->heap_count++, connection);
}

struct connection *deadline_next(struct engine *engine)
{
	return engine->heap_count ? engine->heap[0] : NULL;
}

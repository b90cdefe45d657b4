/*
 * The engine's thread: sleep until a socket, a command or a deadline wants something, and give each its bounded turn.
 * What it has to say to JavaScript in one round is one batch.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_A_ROUND = 256 };

uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int loop_register(struct engine *engine, struct end *end, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = end};

	return epoll_ctl(engine->epoll, EPOLL_CTL_ADD, end->fd, &event) < 0 ? errno : 0;
}

void loop_ready(struct connection *connection)
{
	struct engine *engine = connection->engine;

	if (connection->is_ready)
		return;
	connection->is_ready = true;
	connection->next_ready = NULL;
	if (engine->ready_first)
		engine->ready_last->next_ready = connection;
	else
		engine->ready_first = connection;
	engine->ready_last = connection;
}

void emit(struct engine *engine, enum event_type type, const struct event *content)
{
	struct event *event = malloc(sizeof *event);

	/* Without memory for a message nothing can go on; what is open is reset by the kernel, and init restarts us. */
	if (!event)
		abort();
	*event = *content;
	event->type = type;
	if (queue_add(&engine->events, event))
		engine->has_news = true;
}

static int sleep_ms(struct engine *engine)
{
	struct connection *next = deadline_next(engine);
	uint64_t until = next ? next->deadline_ms : UINT64_MAX;

	if (engine->ready_first)
		return 0;
	if (listener_retry_ms(engine) < until)
		until = listener_retry_ms(engine);
	if (until == UINT64_MAX)
		return -1;
	if (until <= engine->now_ms)
		return 0;
	return until - engine->now_ms > 60000 ? 60000 : (int)(until - engine->now_ms);
}

static void obey(struct engine *engine)
{
	struct command *command;
	uint64_t count;

	if (read(engine->wake, &count, sizeof count) < 0 && errno != EAGAIN)
		return;
	for (command = queue_take(&engine->commands); command;) {
		struct command *next = command->next;

		verdict_obey(engine, command);
		command = next;
	}
}

static void heed(struct engine *engine, const struct epoll_event *event)
{
	struct end *end = event->data.ptr;

	if (end == &engine->wake_end) {
		obey(engine);
		return;
	}
	if (!end->connection) {
		listener_accept(engine, end);
		return;
	}
	end->readable |= (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	end->writable |= (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
	end->hung_up |= (event->events & (EPOLLRDHUP | EPOLLHUP)) != 0;
	end->failed |= (event->events & EPOLLERR) != 0;
	connection_event(end->connection);
}

/* Those that had more to do when their turn was over. */
static void serve_ready(struct engine *engine)
{
	struct connection *connection = engine->ready_first;

	engine->ready_first = engine->ready_last = NULL;
	while (connection) {
		struct connection *next = connection->next_ready;

		connection->is_ready = false;
		connection_event(connection);
		connection = next;
	}
}

static void serve_deadlines(struct engine *engine)
{
	struct connection *connection;

	while ((connection = deadline_next(engine)) && connection->deadline_ms <= engine->now_ms)
		connection_deadline(connection);
	if (listener_retry_ms(engine) <= engine->now_ms)
		listener_retry(engine);
}

static void close_all(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->listener_count; i++)
		close(engine->listeners[i].fd);
	close(engine->epoll);
	pipes_close(engine);
	free(engine->slots);
	free(engine->generations);
	free(engine->free_slots);
	free(engine->heap);
	free(engine->peek_first);
}

void *loop_run(void *argument)
{
	struct engine *engine = argument;
	struct epoll_event events[EVENTS_A_ROUND];

	engine->now_ms = clock_us() / 1000;
	while (!engine->stopping) {
		int count = epoll_wait(engine->epoll, events, EVENTS_A_ROUND, sleep_ms(engine));

		engine->now_ms = clock_us() / 1000;
		for (int i = 0; i < count; i++)
			heed(engine, &events[i]);
		serve_ready(engine);
		serve_deadlines(engine);
		connection_sweep(engine);
		dial_sweep(engine);
		if (engine->has_news) {
			engine->has_news = false;
			engine->wake_javascript(engine);
		}
	}
	/* Also those that were accepted after the command, in the same round. */
	verdict_close_all(engine);
	connection_sweep(engine);
	dial_sweep(engine);
	close_all(engine);
	emit(engine, STOPPED, &(struct event){0});
	engine->wake_javascript(engine);
	return NULL;
}

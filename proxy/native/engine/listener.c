/*
 * Accepting, and where each connection was going. conntrack keeps the destination that REDIRECT replaced and answers
 * getsockopt with it: SO_ORIGINAL_DST at SOL_IP (getorigdst in net/netfilter/nf_conntrack_proto.c) and, with the same
 * number, IP6T_SO_ORIGINAL_DST at SOL_IPV6. The number is repeated here because the kernel's header for it and
 * <netinet/in.h> do not mix.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ORIGINAL_DST = 80, BACKLOG = 4096, ACCEPTS_A_TURN = 64, STARVED_MS = 100 };

/*
 * While JavaScript is busy, what it has not read grows with each connection that is accepted: beyond so many messages
 * those that come wait in the backlog. That bounds the rest too: what is told without being asked for is told of an
 * accepted connection, once each, or is the news that descriptors have run out, as often as they are looked for.
 */
enum { MAX_UNREAD = 4096, UNREAD_MS = 10 };

int listener_open(struct engine *engine, const union address *address, uint16_t *port)
{
	bool ipv6 = address->any.sa_family == AF_INET6;
	socklen_t length = ipv6 ? sizeof address->in6 : sizeof address->in;
	struct end *end = &engine->listeners[engine->listener_count];
	union address bound;
	int on = 1, error;

	end->connection = NULL;
	end->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (end->fd < 0)
		return errno;
	setsockopt(end->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* Accepted sockets inherit it, and what listener_keepalive sets. */
	setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(end->fd, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof on); /* for own_has */
	if (engine->share_port)
		setsockopt(end->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (ipv6)
		setsockopt(end->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(end->fd, &address->any, length) < 0 || listen(end->fd, BACKLOG) < 0 ||
	    getsockname(end->fd, &bound.any, &length) < 0 || loop_register(engine, end, EPOLLIN)) {
		error = errno;
		close(end->fd);
		return error;
	}
	*port = ntohs(ipv6 ? bound.in6.sin6_port : bound.in.sin_port);
	engine->listener_count++;
	return 0;
}

/* Fills in the destination, and whether it is the listener itself. ENOENT: conntrack knows of no redirect. */
static void find_destination(int fd, struct event *event)
{
	union address local = {0};
	socklen_t length = sizeof local;

	if (getsockname(fd, &local.any, &length) < 0) {
		event->accepted.error = errno;
		return;
	}
	event->accepted.destination = local;
	length = local.any.sa_family == AF_INET6 ? sizeof local.in6 : sizeof local.in;
	if (getsockopt(fd, local.any.sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, ORIGINAL_DST,
		       &event->accepted.destination, &length) < 0) {
		event->accepted.destination = local;
		event->accepted.error = errno == ENOENT ? 0 : errno;
	}
	event->accepted.direct = address_equal(&local, &event->accepted.destination);
}

static void watch(struct engine *engine, bool on)
{
	for (uint32_t i = 0; i < engine->listener_count; i++) {
		struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.ptr = &engine->listeners[i]};

		epoll_ctl(engine->epoll, EPOLL_CTL_MOD, engine->listeners[i].fd, &event);
	}
}

static void reset(int fd)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
}

/* It is told of and at its end at once; only where there is no memory for it does it have no id. */
static void fail(struct engine *engine, int fd, struct event *event, struct connection *connection, int error)
{
	event->id = connection ? connection->id : 0;
	event->accepted.error = error;
	emit(engine, ACCEPTED, event);
	if (connection) {
		connection_end(connection, ENGINE, FAILED, error);
		return;
	}
	reset(fd);
	emit(engine, FINISHED, &(struct event){
		.finished = {.address = -1, .error = error, .by = ENGINE, .how = FAILED}});
}

static void take(struct engine *engine, int fd, const union address *source)
{
	struct event event = {.accepted = {.source = *source}};
	struct connection *connection;
	int error = ENOMEM;

	find_destination(fd, &event);
	event.accepted.own = own_has(fd, source, &event.accepted.destination);
	if (engine->open >= engine->limits.connections) {
		event.accepted.over_limit = true;
		reset(fd);
		emit(engine, ACCEPTED, &event);
		return;
	}
	connection = connection_new(engine, fd);
	if (connection)
		error = loop_register(engine, &connection->app, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	if (error) {
		fail(engine, fd, &event, connection, error);
		return;
	}
	event.id = connection->id;
	verdict_await(connection, &event);
}

/* Stops asking, or epoll would report the same connection for ever, and looks again later. */
static void rest(struct engine *engine, uint32_t ms)
{
	if (!engine->retry_accept_ms)
		watch(engine, false);
	engine->retry_accept_ms = engine->now_ms + ms;
}

static void starve(struct engine *engine, int error)
{
	if (!engine->starved)
		emit(engine, ACCEPTING, &(struct event){.accepting = {.paused = true, .error = error}});
	engine->starved = true;
	rest(engine, STARVED_MS);
}

void listener_accept(struct engine *engine, struct end *listener)
{
	if (queue_length(&engine->events) >= MAX_UNREAD) {
		rest(engine, UNREAD_MS);
		return;
	}
	for (int i = 0; i < ACCEPTS_A_TURN && !engine->paused; i++) {
		union address source = {0};
		socklen_t length = sizeof source;
		int fd = accept4(listener->fd, &source.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take(engine, fd, &source);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			starve(engine, errno);
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

uint64_t listener_retry_ms(const struct engine *engine)
{
	return engine->retry_accept_ms && !engine->paused ? engine->retry_accept_ms : UINT64_MAX;
}

/* The rest is over; whether there is something to accept with again, accepting shows, so never while paused. */
void listener_retry(struct engine *engine)
{
	engine->retry_accept_ms = 0;
	for (uint32_t i = 0; i < engine->listener_count && !engine->retry_accept_ms; i++)
		listener_accept(engine, &engine->listeners[i]);
	if (engine->retry_accept_ms)
		return;
	watch(engine, true);
	if (engine->starved)
		emit(engine, ACCEPTING, &(struct event){.accepting = {.paused = false}});
	engine->starved = false;
}

void listener_pause(struct engine *engine, bool pause)
{
	engine->paused = pause;
	if (!engine->retry_accept_ms)
		watch(engine, !pause);
	else if (!pause)
		listener_retry(engine);
}

void listener_keepalive(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->listener_count; i++)
		dial_keepalive(engine, engine->listeners[i].fd);
}

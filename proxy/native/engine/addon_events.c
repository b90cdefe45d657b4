/* From the engine to JavaScript: the batch that waits, as calls of the handlers' functions. */
#include "addon.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { MAX_ARGUMENTS = 11 };

napi_value addon_number(napi_env env, double value)
{
	napi_value result = NULL;

	napi_create_double(env, value, &result);
	return result;
}

static napi_value js_boolean(napi_env env, bool value)
{
	napi_value result = NULL;

	napi_get_boolean(env, value, &result);
	return result;
}

static void js_endpoint(napi_env env, const union address *from, napi_value out[2])
{
	bool ipv6 = from->any.sa_family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(ipv6 ? AF_INET6 : AF_INET, ipv6 ? (const void *)&from->in6.sin6_addr : &from->in.sin_addr, text,
		  sizeof text);
	napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &out[0]);
	out[1] = addon_number(env, ntohs(ipv6 ? from->in6.sin6_port : from->in.sin_port));
}

static napi_value js_bytes(napi_env env, const struct event *event)
{
	napi_value result = NULL;

	napi_create_buffer_copy(env, event->head.length, event->head.bytes, NULL, &result);
	return result;
}

/* Three more arguments. */
static void js_head(napi_env env, const struct event *event, napi_value values[MAX_ARGUMENTS], size_t *count)
{
	values[(*count)++] = js_bytes(env, event);
	values[(*count)++] = js_boolean(env, event->head.ended);
	values[(*count)++] = js_boolean(env, event->head.timed_out);
}

/* The handler's name, and its arguments. */
static const char *js_event(napi_env env, struct event *event, napi_value values[MAX_ARGUMENTS], size_t *count)
{
	values[0] = addon_number(env, event->id);
	switch (event->type) {
	case ACCEPTED:
		js_endpoint(env, &event->accepted.source, &values[1]);
		js_endpoint(env, &event->accepted.destination, &values[3]);
		values[5] = js_boolean(env, event->accepted.direct || event->accepted.own);
		values[6] = js_boolean(env, event->accepted.over_limit);
		values[7] = addon_number(env, event->accepted.error);
		*count = 8;
		if (event->head.bytes)
			js_head(env, event, values, count);
		return "accepted";
	case HEAD:
		*count = 1;
		js_head(env, event, values, count);
		return "head";
	case SAID:
		values[1] = js_bytes(env, event);
		*count = 2;
		return "said";
	case RELEASED:
		values[1] = addon_number(env, event->handed.fd);
		*count = 2;
		return "released";
	case DIALLED:
		values[1] = addon_number(env, event->handed.fd);
		values[2] = addon_number(env, event->handed.error);
		values[3] = addon_number(env, event->handed.address);
		values[4] = addon_number(env, event->handed.connect_us);
		*count = 5;
		return "dialled";
	case GONE:
		*count = 1;
		return "gone";
	case FINISHED:
		values[1] = addon_number(env, event->finished.sent);
		values[2] = addon_number(env, event->finished.received);
		values[3] = addon_number(env, event->finished.connect_us);
		values[4] = addon_number(env, event->finished.total_us);
		values[5] = addon_number(env, event->finished.address);
		values[6] = addon_number(env, event->finished.by);
		values[7] = addon_number(env, event->finished.how);
		values[8] = addon_number(env, event->finished.error);
		*count = 9;
		return "finished";
	case LIVE:
		values[1] = addon_number(env, event->live.sent);
		values[2] = addon_number(env, event->live.received);
		values[3] = addon_number(env, event->live.address);
		*count = 4;
		return "live";
	case REPORTED:
		*count = 0;
		return "reported";
	case ACCEPTING:
		values[0] = js_boolean(env, event->accepting.paused);
		values[1] = addon_number(env, event->accepting.error);
		*count = 2;
		return "accepting";
	case DELIVERED:
		*count = 0;
		return "delivered";
	case STOPPED:
		*count = 0;
		return "stopped";
	}
	return NULL;
}

static void give(napi_env env, napi_value handlers, struct event *event)
{
	napi_value values[MAX_ARGUMENTS], handler, exception, answer;
	napi_handle_scope scope;
	size_t count = 0;
	bool pending, taken = false;

	napi_open_handle_scope(env, &scope);
	if (napi_get_named_property(env, handlers, js_event(env, event, values, &count), &handler) == napi_ok)
		if (napi_call_function(env, handlers, handler, count, values, &answer) == napi_ok &&
		    event_hands_over(event) && napi_get_value_bool(env, answer, &taken) == napi_ok && taken)
			event->handed.fd = -1;
	/* A handler's mistake is an uncaught exception; the rest of the batch is still given. */
	if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
	    napi_get_and_clear_last_exception(env, &exception) == napi_ok)
		napi_fatal_exception(env, exception);
	napi_close_handle_scope(env, scope);
}

/* On JavaScript's thread: the batch that waits. Without an environment the host may be gone already (addon.c). */
void addon_deliver(napi_env env, napi_value function, void *context, void *data)
{
	struct host *host = context;
	napi_value handlers = NULL;
	struct event *event;

	(void)function, (void)data;
	if (!env || !host->running || napi_get_reference_value(env, host->handlers, &handlers) != napi_ok)
		return;
	for (event = queue_take(&host->engine.events); event;) {
		struct event *next = event->next;

		if (event->type == STOPPED)
			addon_stopped(env, host);
		give(env, handlers, event);
		event_free(event);
		event = next;
	}
	if (host->running)
		give(env, handlers, &(struct event){.type = DELIVERED});
}

/*
 * One batch for each turn of JavaScript's loop: Node would call for up to a thousand of them before it looks at anything
 * else (CallIntoModule's limit in src/node_api.cc), and under a flood of connections never get to timers, files and
 * other sockets. After a batch JavaScript says when its turn is over (`rearm`).
 */
void addon_wake(struct engine *engine)
{
	if (!atomic_exchange(&engine->javascript_is_told, true))
		napi_call_threadsafe_function(((struct host *)engine)->deliver, NULL, napi_tsfn_nonblocking);
}

void addon_rearm(struct engine *engine)
{
	atomic_store(&engine->javascript_is_told, false);
	if (queue_length(&engine->events))
		addon_wake(engine);
}

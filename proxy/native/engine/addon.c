/*
 * The engine as JavaScript sees it. start(addresses, sharePort, handlers) gives an object whose methods queue commands; what
 * the engine has to say comes in batches, as calls of the handlers' functions. Arguments are plain numbers, strings and
 * buffers: engine.ts gives them names. Errors of the system are errno numbers, which engine.ts names too.
 */
#include "engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <node_api.h>

enum { MAX_ARGUMENTS = 3 + MAX_ADDRESSES };

struct host {
	struct engine engine; /* first: a pointer to it is one to the host */
	napi_threadsafe_function deliver;
	napi_ref handlers;
	bool running;
};

/* ---- arguments ---- */

struct arguments {
	napi_env env;
	struct host *host;
	size_t count;
	napi_value values[MAX_ARGUMENTS];
	bool wrong;
};

static struct arguments arguments_of(napi_env env, napi_callback_info info)
{
	struct arguments a = {.env = env, .count = MAX_ARGUMENTS};
	napi_value self;

	a.wrong = napi_get_cb_info(env, info, &a.count, a.values, &self, NULL) != napi_ok ||
		  napi_unwrap(env, self, (void **)&a.host) != napi_ok;
	return a;
}

static int64_t number(struct arguments *a, size_t index)
{
	int64_t value = 0;

	if (index >= a->count || napi_get_value_int64(a->env, a->values[index], &value) != napi_ok)
		a->wrong = true;
	return value;
}

static bool parse_address(napi_env env, napi_value text, uint16_t port, union address *address)
{
	char buffer[INET6_ADDRSTRLEN];
	size_t length;

	if (napi_get_value_string_utf8(env, text, buffer, sizeof buffer, &length) != napi_ok)
		return false;
	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, buffer, &address->in.sin_addr) == 1) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons(port);
		return true;
	}
	address->in6.sin6_family = AF_INET6;
	address->in6.sin6_port = htons(port);
	return inet_pton(AF_INET6, buffer, &address->in6.sin6_addr) == 1;
}

/* ---- commands ---- */

static struct command *command_new(enum command_type type, int64_t id)
{
	struct command *command = calloc(1, sizeof *command);

	if (!command)
		abort();
	command->type = type;
	command->id = id;
	return command;
}

static void send_command(struct engine *engine, struct command *command)
{
	uint64_t one = 1;

	if (queue_add(&engine->commands, command) && write(engine->wake, &one, sizeof one) < 0)
		abort(); /* an eventfd takes 2^64 - 2 of these */
}

/* Sends what was built of good arguments; anything else is the caller's mistake and is thrown. */
static napi_value submit(struct arguments *a, struct command *command)
{
	if (a->wrong || !a->host->running) {
		if (command->type == REFUSE)
			free(command->refuse.bytes);
		free(command);
		if (a->wrong)
			napi_throw_type_error(a->env, "ERR_INVALID_ARG_TYPE", "engine: wrong arguments");
		return NULL;
	}
	send_command(&a->host->engine, command);
	return NULL;
}

static napi_value peek(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = command_new(PEEK, number(&a, 0));

	command->peek.more_than = number(&a, 1);
	command->peek.wait_ms = number(&a, 2);
	return submit(&a, command);
}

/* relay(id, connectMs, port, address…) */
static napi_value relay(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = command_new(RELAY, number(&a, 0));
	uint16_t port = number(&a, 2);

	command->relay.connect_ms = number(&a, 1);
	for (size_t i = 3; i < a.count && i < MAX_ARGUMENTS; i++)
		if (!parse_address(env, a.values[i], port, &command->relay.addresses[command->relay.count++]))
			a.wrong = true;
	return submit(&a, command);
}

/* refuse(id) resets; refuse(id, bytes) answers */
static napi_value refuse(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = command_new(REFUSE, number(&a, 0));
	void *bytes;
	size_t length;

	if (a.count > 1) {
		if (napi_get_buffer_info(env, a.values[1], &bytes, &length) != napi_ok ||
		    !(command->refuse.bytes = malloc(length ? length : 1)))
			a.wrong = true;
		else
			memcpy(command->refuse.bytes, bytes, command->refuse.length = length);
	}
	return submit(&a, command);
}

static napi_value simple(napi_env env, napi_callback_info info, enum command_type type, bool has_id)
{
	struct arguments a = arguments_of(env, info);

	return submit(&a, command_new(type, has_id ? number(&a, 0) : 0));
}

static napi_value release(napi_env env, napi_callback_info info) { return simple(env, info, RELEASE, true); }
static napi_value close_one(napi_env env, napi_callback_info info) { return simple(env, info, CLOSE, true); }
static napi_value close_all(napi_env env, napi_callback_info info) { return simple(env, info, CLOSE, false); }
static napi_value report(napi_env env, napi_callback_info info) { return simple(env, info, REPORT, false); }
static napi_value pause_accepting(napi_env env, napi_callback_info info) { return simple(env, info, PAUSE, false); }
static napi_value resume(napi_env env, napi_callback_info info) { return simple(env, info, RESUME, false); }
static napi_value stop(napi_env env, napi_callback_info info) { return simple(env, info, STOP, false); }

static napi_value limit(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = command_new(LIMIT, 0);

	command->limits = (struct limits){
		.connections = number(&a, 0),
		.verdict_ms = number(&a, 1),
		.idle_ms = number(&a, 2),
		.half_closed_ms = number(&a, 3),
		.keepalive_seconds = number(&a, 4),
	};
	return submit(&a, command);
}

/* ---- events ---- */

static napi_value js_number(napi_env env, double value)
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
	out[1] = js_number(env, ntohs(ipv6 ? from->in6.sin6_port : from->in.sin_port));
}

static void free_bytes(napi_env env, void *bytes, void *hint)
{
	(void)env, (void)hint;
	free(bytes);
}

/* The handler's name, and its arguments. */
static const char *js_event(napi_env env, struct event *event, napi_value values[MAX_ARGUMENTS], size_t *count)
{
	values[0] = js_number(env, event->id);
	switch (event->type) {
	case ACCEPTED:
		js_endpoint(env, &event->accepted.source, &values[1]);
		js_endpoint(env, &event->accepted.destination, &values[3]);
		values[5] = js_boolean(env, event->accepted.direct || event->accepted.own);
		values[6] = js_boolean(env, event->accepted.over_limit);
		values[7] = js_number(env, event->accepted.error);
		*count = 8;
		return "accepted";
	case HEAD:
		napi_create_external_buffer(env, event->head.length, event->head.bytes, free_bytes, NULL, &values[1]);
		values[2] = js_boolean(env, event->head.ended);
		values[3] = js_boolean(env, event->head.timed_out);
		*count = 4;
		return "head";
	case RELEASED:
		values[1] = js_number(env, event->released.fd);
		*count = 2;
		return "released";
	case GONE:
		*count = 1;
		return "gone";
	case FINISHED:
		values[1] = js_number(env, event->finished.sent);
		values[2] = js_number(env, event->finished.received);
		values[3] = js_number(env, event->finished.connect_us);
		values[4] = js_number(env, event->finished.total_us);
		values[5] = js_number(env, event->finished.address);
		values[6] = js_number(env, event->finished.by);
		values[7] = js_number(env, event->finished.how);
		values[8] = js_number(env, event->finished.error);
		*count = 9;
		return "finished";
	case LIVE:
		values[1] = js_number(env, event->live.sent);
		values[2] = js_number(env, event->live.received);
		*count = 3;
		return "live";
	case REPORTED:
		*count = 0;
		return "reported";
	case ACCEPTING:
		values[0] = js_boolean(env, event->accepting.paused);
		values[1] = js_number(env, event->accepting.error);
		*count = 2;
		return "accepting";
	case STOPPED:
		*count = 0;
		return "stopped";
	}
	return NULL;
}

static void give(napi_env env, napi_value handlers, struct event *event)
{
	napi_value values[MAX_ARGUMENTS], handler, exception;
	napi_handle_scope scope;
	size_t count = 0;
	bool pending;

	napi_open_handle_scope(env, &scope);
	if (napi_get_named_property(env, handlers, js_event(env, event, values, &count), &handler) == napi_ok)
		napi_call_function(env, handlers, handler, count, values, NULL);
	/* A handler's mistake is an uncaught exception; the rest of the batch is still given. */
	if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
	    napi_get_and_clear_last_exception(env, &exception) == napi_ok)
		napi_fatal_exception(env, exception);
	napi_close_handle_scope(env, scope);
}

/* On JavaScript's thread: the batch that waits. */
static void deliver(napi_env env, napi_value function, void *context, void *data)
{
	struct host *host = context;
	struct event *event = queue_take(&host->engine.events);
	napi_value handlers = NULL;

	(void)function, (void)data;
	if (env)
		napi_get_reference_value(env, host->handlers, &handlers);
	while (event) {
		struct event *next = event->next;

		if (event->type == STOPPED) {
			pthread_join(host->engine.thread, NULL);
			host->running = false;
			napi_release_threadsafe_function(host->deliver, napi_tsfn_release);
		}
		if (env && handlers)
			give(env, handlers, event);
		free(event);
		event = next;
	}
}

static void wake_javascript(struct engine *engine)
{
	napi_call_threadsafe_function(((struct host *)engine)->deliver, NULL, napi_tsfn_nonblocking);
}

/* ---- life ---- */

static void finalize(napi_env env, void *data, void *hint)
{
	struct host *host = data;

	(void)hint;
	if (host->running) {
		send_command(&host->engine, command_new(STOP, 0));
		pthread_join(host->engine.thread, NULL);
	}
	if (host->handlers)
		napi_delete_reference(env, host->handlers);
	close(host->engine.wake);
	pthread_mutex_destroy(&host->engine.commands.lock);
	pthread_mutex_destroy(&host->engine.events.lock);
	free(host);
}

static int engine_open(struct engine *engine)
{
	int error;

	engine->wake_javascript = wake_javascript;
	engine->limits = (struct limits){.connections = 1024};
	pthread_mutex_init(&engine->commands.lock, NULL);
	pthread_mutex_init(&engine->events.lock, NULL);
	engine->epoll = epoll_create1(EPOLL_CLOEXEC);
	engine->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	engine->wake_end.fd = engine->wake;
	if (engine->epoll < 0 || engine->wake < 0)
		return errno;
	error = loop_register(engine, &engine->wake_end, EPOLLIN);
	return error;
}

static const napi_property_descriptor METHODS[] = {
	{"peek", NULL, peek, NULL, NULL, NULL, napi_default, NULL},
	{"relay", NULL, relay, NULL, NULL, NULL, napi_default, NULL},
	{"refuse", NULL, refuse, NULL, NULL, NULL, napi_default, NULL},
	{"release", NULL, release, NULL, NULL, NULL, napi_default, NULL},
	{"close", NULL, close_one, NULL, NULL, NULL, napi_default, NULL},
	{"closeAll", NULL, close_all, NULL, NULL, NULL, napi_default, NULL},
	{"report", NULL, report, NULL, NULL, NULL, napi_default, NULL},
	{"limit", NULL, limit, NULL, NULL, NULL, napi_default, NULL},
	{"pause", NULL, pause_accepting, NULL, NULL, NULL, napi_default, NULL},
	{"resume", NULL, resume, NULL, NULL, NULL, napi_default, NULL},
	{"stop", NULL, stop, NULL, NULL, NULL, napi_default, NULL},
};

/* At once and not at finalization: the ports may be asked for again. */
static void engine_abandon(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->listener_count; i++)
		close(engine->listeners[i].fd);
	engine->listener_count = 0;
	close(engine->epoll);
}

/* One address of each family at most; a port of 0 is chosen for the first and used for the second too. */
static bool engine_listen(napi_env env, napi_value addresses, struct engine *engine, napi_value ports, int *error)
{
	uint32_t count = 0;
	uint16_t chosen = 0;

	napi_get_array_length(env, addresses, &count);
	for (uint32_t i = 0; i < count && i < 2; i++) {
		napi_value pair, text, port_value;
		union address address;
		uint32_t wanted;
		uint16_t port;

		if (napi_get_element(env, addresses, i, &pair) != napi_ok ||
		    napi_get_element(env, pair, 0, &text) != napi_ok ||
		    napi_get_element(env, pair, 1, &port_value) != napi_ok ||
		    napi_get_value_uint32(env, port_value, &wanted) != napi_ok ||
		    !parse_address(env, text, wanted ? wanted : chosen, &address))
			return false;
		*error = listener_open(engine, &address, &port);
		if (*error)
			return true;
		chosen = port;
		napi_set_element(env, ports, i, js_number(env, port));
	}
	return true;
}

/* start([[address, port], …], sharePort, handlers): { ports, …methods } or an errno */
static napi_value start(napi_env env, napi_callback_info info)
{
	napi_value values[3], object, ports, name;
	size_t count = 3;
	struct host *host = calloc(1, sizeof *host);
	int error;

	if (!host)
		return js_number(env, ENOMEM);
	error = engine_open(&host->engine);
	napi_create_object(env, &object);
	napi_create_array(env, &ports);
	napi_wrap(env, object, host, finalize, NULL, NULL);
	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || count < 3 ||
	    napi_get_value_bool(env, values[1], &host->engine.share_port) != napi_ok ||
	    (!error && !engine_listen(env, values[0], &host->engine, ports, &error)) ||
	    napi_create_reference(env, values[2], 1, &host->handlers) != napi_ok) {
		engine_abandon(&host->engine);
		napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "engine: wrong arguments");
		return NULL;
	}
	if (error) {
		engine_abandon(&host->engine);
		return js_number(env, error);
	}
	napi_create_string_utf8(env, "sallyport engine", NAPI_AUTO_LENGTH, &name);
	napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, host, deliver, &host->deliver);
	napi_define_properties(env, object, sizeof METHODS / sizeof *METHODS, METHODS);
	napi_set_named_property(env, object, "ports", ports);
	error = pthread_create(&host->engine.thread, NULL, loop_run, &host->engine);
	if (error) {
		engine_abandon(&host->engine);
		napi_release_threadsafe_function(host->deliver, napi_tsfn_release);
		return js_number(env, error);
	}
	host->running = true;
	return object;
}

NAPI_MODULE_INIT()
{
	napi_value function;

	if (napi_create_function(env, "start", NAPI_AUTO_LENGTH, start, NULL, &function) != napi_ok ||
	    napi_set_named_property(env, exports, "start", function) != napi_ok)
		return NULL;
	return exports;
}

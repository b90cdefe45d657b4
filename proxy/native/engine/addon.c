/* An engine's life: made by start(), ended by stop() or with JavaScript's environment, and never collected before. */
#include "addon.h"

#include "../sockets/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void join(struct host *host)
{
	pthread_join(host->engine.thread, NULL);
	host->running = false;
	napi_release_threadsafe_function(host->deliver, napi_tsfn_release);
}

/*
 * The environment ends: a worker's, or the process's when its loop is empty (process.exit() of the main thread runs no
 * hooks; it takes the thread along as it is). After this the addon may be unloaded and the host be freed. The hook was
 * added after the function that wakes JavaScript was made, and so it runs before that one's own (Environment::RunCleanup
 * in src/env.cc): the thread can say its last.
 */
static void environment_ends(void *data)
{
	struct host *host = data;

	addon_send(&host->engine, addon_command(STOP, 0));
	join(host);
}

/* The thread has said its last; the object may be collected. */
void addon_stopped(napi_env env, struct host *host)
{
	napi_remove_env_cleanup_hook(env, environment_ends, host);
	join(host);
	napi_delete_reference(env, host->handlers);
	host->handlers = NULL;
	napi_reference_unref(env, host->self, NULL);
}

static void finalize(napi_env env, void *data, void *hint)
{
	struct host *host = data;
	struct command *command = queue_take(&host->engine.commands);
	struct event *event = queue_take(&host->engine.events);

	(void)hint;
	while (command) {
		struct command *next = command->next;

		command_free(command);
		command = next;
	}
	while (event) {
		struct event *next = event->next;

		event_free(event);
		event = next;
	}
	if (host->handlers)
		napi_delete_reference(env, host->handlers);
	napi_delete_reference(env, host->self);
	close(host->engine.wake);
	pthread_mutex_destroy(&host->engine.commands.lock);
	pthread_mutex_destroy(&host->engine.events.lock);
	free(host);
}

static int engine_open(struct engine *engine)
{
	int error;

	engine->wake_javascript = addon_wake;
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
		    !addon_parse_address(env, text, wanted ? wanted : chosen, &address))
			return false;
		*error = listener_open(engine, &address, &port);
		if (*error)
			return true;
		chosen = port;
		napi_set_element(env, ports, i, addon_number(env, port));
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
		return addon_number(env, ENOMEM);
	error = engine_open(&host->engine);
	napi_create_object(env, &object);
	napi_create_array(env, &ports);
	napi_wrap(env, object, host, finalize, NULL, &host->self);
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
		return addon_number(env, error);
	}
	napi_create_string_utf8(env, "sallyport engine", NAPI_AUTO_LENGTH, &name);
	napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, host, addon_deliver, &host->deliver);
	addon_define_methods(env, object);
	napi_set_named_property(env, object, "ports", ports);
	error = pthread_create(&host->engine.thread, NULL, loop_run, &host->engine);
	if (error) {
		engine_abandon(&host->engine);
		napi_release_threadsafe_function(host->deliver, napi_tsfn_release);
		return addon_number(env, error);
	}
	host->running = true;
	napi_reference_ref(env, host->self, NULL);
	napi_add_env_cleanup_hook(env, environment_ends, host);
	return object;
}

NAPI_MODULE_INIT()
{
	const napi_property_descriptor functions[] = {
		{"start", NULL, start, NULL, NULL, NULL, napi_default, NULL},
		{"sockets", NULL, sockets_open, NULL, NULL, NULL, napi_default, NULL},
	};

	if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok)
		return NULL;
	return exports;
}

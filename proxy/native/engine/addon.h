/*
 * The engine as JavaScript sees it. start(addresses, sharePort, handlers) gives an object whose methods queue commands
 * (addon_commands.c); what the engine has to say comes in batches, as calls of the handlers' functions (addon_events.c).
 * Arguments are plain numbers, strings and buffers: engine.ts gives them names, errno numbers included.
 */
#ifndef SALLYPORT_ADDON_H
#define SALLYPORT_ADDON_H

#include "engine.h"

#include <node_api.h>

struct host {
	struct engine engine; /* first: a pointer to it is one to the host */
	napi_threadsafe_function deliver;
	napi_ref self, handlers; /* strong while the thread runs */
	bool running; /* the thread is, and is to be joined */
};

/* addon.c */
void addon_stopped(napi_env env, struct host *host);

/* addon_commands.c */
bool addon_parse_address(napi_env env, napi_value text, uint16_t port, union address *address);
struct command *addon_command(enum command_type type, int64_t id);
void addon_send(struct engine *engine, struct command *command);
void addon_define_methods(napi_env env, napi_value object);

/* addon_events.c */
napi_value addon_number(napi_env env, double value);
void addon_deliver(napi_env env, napi_value function, void *context, void *data);
void addon_wake(struct engine *engine);
void addon_rearm(struct engine *engine);

#endif

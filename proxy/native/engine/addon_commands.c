/* From JavaScript to the engine: each method of its object checks its arguments and queues one command. */
#include "addon.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* relay has the most: four, and addresses. One more is room to see that there are too many. */
enum { MAX_ARGUMENTS = 4 + MAX_ADDRESSES + 1 };

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

static bool boolean(struct arguments *a, size_t index)
{
	bool value = false;

	if (index >= a->count || napi_get_value_bool(a->env, a->values[index], &value) != napi_ok)
		a->wrong = true;
	return value;
}

/* A copy of a buffer; NULL when it is none. */
static uint8_t *bytes_of(struct arguments *a, size_t index, size_t *length)
{
	uint8_t *copy = NULL;
	void *bytes;

	*length = 0;
	if (index < a->count && napi_get_buffer_info(a->env, a->values[index], &bytes, length) == napi_ok)
		copy = malloc(*length ? *length : 1);
	if (copy)
		memcpy(copy, bytes, *length);
	else
		a->wrong = true;
	return copy;
}

bool addon_parse_address(napi_env env, napi_value text, uint16_t port, union address *address)
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

struct command *addon_command(enum command_type type, int64_t id)
{
	struct command *command = calloc(1, sizeof *command);

	if (!command)
		abort();
	command->type = type;
	command->id = id;
	return command;
}

void addon_send(struct engine *engine, struct command *command)
{
	uint64_t one = 1;

	if (queue_add(&engine->commands, command) && write(engine->wake, &one, sizeof one) < 0)
		abort(); /* an eventfd takes 2^64 - 2 of these */
}

/* Sends what was built of good arguments; anything else is the caller's mistake and is thrown. */
static napi_value submit(struct arguments *a, struct command *command)
{
	if (a->wrong || !a->host->running) {
		command_free(command);
		if (a->wrong)
			napi_throw_type_error(a->env, "ERR_INVALID_ARG_TYPE", "engine: wrong arguments");
		return NULL;
	}
	addon_send(&a->host->engine, command);
	return NULL;
}

static napi_value peek(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = addon_command(PEEK, number(&a, 0));

	command->peek.more_than = number(&a, 1);
	command->peek.wait_ms = number(&a, 2);
	return submit(&a, command);
}

/* The port, and then the addresses. */
static void addresses_of(struct arguments *a, size_t index, struct command *command)
{
	uint16_t port = number(a, index);

	if (a->count > index + 1 + MAX_ADDRESSES)
		a->wrong = true;
	for (size_t i = index + 1; i < a->count && !a->wrong; i++)
		if (!addon_parse_address(a->env, a->values[i], port, &command->dial.addresses[command->dial.count++]))
			a->wrong = true;
}

/* relay(id, connectMs, show, port, address…) */
static napi_value relay(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = addon_command(RELAY, number(&a, 0));

	command->dial.connect_ms = number(&a, 1);
	command->dial.show = boolean(&a, 2);
	addresses_of(&a, 3, command);
	return submit(&a, command);
}

/* dial(id, connectMs, port, address…) */
static napi_value dial(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = addon_command(DIAL, number(&a, 0));

	command->dial.connect_ms = number(&a, 1);
	addresses_of(&a, 2, command);
	return submit(&a, command);
}

/* refuse(id) resets; refuse(id, bytes) answers */
static napi_value refuse(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = addon_command(REFUSE, number(&a, 0));
	size_t length;

	if (a.count > 1) {
		command->refuse.bytes = bytes_of(&a, 1, &length);
		command->refuse.length = length;
	}
	return submit(&a, command);
}

/* peekFirst(waitMs, ports): a bit for each */
static napi_value peek_first(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = addon_command(PEEK_FIRST, 0);
	size_t length;

	command->peek_first.wait_ms = number(&a, 0);
	command->peek_first.ports = bytes_of(&a, 1, &length);
	if (length != PORT_SET_BYTES)
		a.wrong = true;
	return submit(&a, command);
}

static napi_value simple(napi_env env, napi_callback_info info, enum command_type type, bool has_id)
{
	struct arguments a = arguments_of(env, info);

	return submit(&a, addon_command(type, has_id ? number(&a, 0) : 0));
}

static napi_value release(napi_env env, napi_callback_info info) { return simple(env, info, RELEASE, true); }
static napi_value close_one(napi_env env, napi_callback_info info) { return simple(env, info, CLOSE, true); }
static napi_value close_all(napi_env env, napi_callback_info info) { return simple(env, info, CLOSE_ALL, false); }
static napi_value report(napi_env env, napi_callback_info info) { return simple(env, info, REPORT, false); }
static napi_value pause_accepting(napi_env env, napi_callback_info info) { return simple(env, info, PAUSE, false); }
static napi_value resume(napi_env env, napi_callback_info info) { return simple(env, info, RESUME, false); }
static napi_value stop(napi_env env, napi_callback_info info) { return simple(env, info, STOP, false); }

/* JavaScript's turn is over: it can be told of more. */
static napi_value rearm(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);

	if (!a.wrong && a.host->running)
		addon_rearm(&a.host->engine);
	return NULL;
}

static napi_value limit(napi_env env, napi_callback_info info)
{
	struct arguments a = arguments_of(env, info);
	struct command *command = addon_command(LIMIT, 0);

	command->limits = (struct limits){
		.connections = number(&a, 0),
		.verdict_ms = number(&a, 1),
		.idle_ms = number(&a, 2),
		.half_closed_ms = number(&a, 3),
		.keepalive_seconds = number(&a, 4),
	};
	return submit(&a, command);
}

static const napi_property_descriptor METHODS[] = {
	{"peek", NULL, peek, NULL, NULL, NULL, napi_default, NULL},
	{"peekFirst", NULL, peek_first, NULL, NULL, NULL, napi_default, NULL},
	{"relay", NULL, relay, NULL, NULL, NULL, napi_default, NULL},
	{"dial", NULL, dial, NULL, NULL, NULL, napi_default, NULL},
	{"refuse", NULL, refuse, NULL, NULL, NULL, napi_default, NULL},
	{"release", NULL, release, NULL, NULL, NULL, napi_default, NULL},
	{"close", NULL, close_one, NULL, NULL, NULL, napi_default, NULL},
	{"closeAll", NULL, close_all, NULL, NULL, NULL, napi_default, NULL},
	{"report", NULL, report, NULL, NULL, NULL, napi_default, NULL},
	{"rearm", NULL, rearm, NULL, NULL, NULL, napi_default, NULL},
	{"limit", NULL, limit, NULL, NULL, NULL, napi_default, NULL},
	{"pause", NULL, pause_accepting, NULL, NULL, NULL, napi_default, NULL},
	{"resume", NULL, resume, NULL, NULL, NULL, napi_default, NULL},
	{"stop", NULL, stop, NULL, NULL, NULL, napi_default, NULL},
};

void addon_define_methods(napi_env env, napi_value object)
{
	napi_define_properties(env, object, sizeof METHODS / sizeof *METHODS, METHODS);
}

/*
 * A set of connected sockets that JavaScript reads and writes itself, on its own thread and without ever waiting: what
 * HTTP needs, where every byte is looked at. Node's own sockets cost as much again as the system calls they make: a
 * stream, a request and an allocation for each read and write.
 *
 * One epoll descriptor holds them, edge-triggered, and libuv watches that one. When it is readable, JavaScript is called
 * once for all that has happened, and reads what it wants to into one buffer that all of them share.
 *
 * Who owns what: a descriptor is the set's from add until close, or until the environment ends. An id holds its slot and
 * how often the slot was used, so that an event of a socket that was closed in the same batch finds nothing. Everything
 * here is touched by JavaScript's thread alone.
 */
#include "sockets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>

enum {
	SLOT_BITS = 20,
	GENERATIONS = 1 << 10, /* ids stay below 2^31, as an Int32Array holds them */
	MAX_EVENTS = 256,
	MAX_PARTS = 16,
	TEXT_BYTES = 128 << 10, /* of all texts in one write */
};

struct slot {
	int fd; /* -1: free */
	uint32_t generation;
	uint32_t next_free;
};

struct set {
	napi_env env;
	uv_poll_t poll;
	int epoll;
	struct slot *slots;
	uint32_t count, first_free; /* first_free == count: none */
	uint8_t *memory;            /* what is read goes here; JavaScript's, held by memory_ref */
	size_t memory_bytes;
	int32_t *told; /* [id, events] of each; JavaScript's, held by told_ref */
	napi_ref memory_ref, told_ref, ready, self;
	napi_async_context context;
	napi_async_cleanup_hook_handle cleanup;
	char text[TEXT_BYTES];
};

static napi_value number(napi_env env, int64_t value)
{
	napi_value result = NULL;

	napi_create_int64(env, value, &result);
	return result;
}

static napi_value wrong(napi_env env)
{
	napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "sockets: wrong arguments");
	return NULL;
}

/* The set, and up to two arguments; NULL where something is missing. */
static struct set *set_of(napi_env env, napi_callback_info info, size_t wanted, napi_value arguments[2])
{
	struct set *set = NULL;
	napi_value self;
	size_t count = 2;

	if (napi_get_cb_info(env, info, &count, arguments, &self, NULL) != napi_ok || count < wanted ||
	    napi_unwrap(env, self, (void **)&set) != napi_ok)
		return NULL;
	return set;
}

/* NULL: it is closed. */
static struct slot *slot_of(struct set *set, napi_value value)
{
	uint32_t id, slot;

	if (napi_get_value_uint32(set->env, value, &id) != napi_ok)
		return NULL;
	slot = id & ((1u << SLOT_BITS) - 1);
	if (slot >= set->count || set->slots[slot].fd < 0 || set->slots[slot].generation != id >> SLOT_BITS)
		return NULL;
	return &set->slots[slot];
}

static bool grow(struct set *set)
{
	uint32_t count = set->count ? set->count * 2 : 64;
	struct slot *slots;

	if (count > 1u << SLOT_BITS || !(slots = realloc(set->slots, count * sizeof *slots)))
		return false;
	for (uint32_t i = set->count; i < count; i++)
		slots[i] = (struct slot){.fd = -1, .next_free = i + 1};
	set->slots = slots;
	set->first_free = set->count;
	set->count = count;
	return true;
}

/* add(fd): its id, or a negative errno; then the descriptor stays the caller's. */
static napi_value add(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct set *set = set_of(env, info, 1, arguments);
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	struct slot *slot;
	uint32_t index;
	int fd;

	if (!set || napi_get_value_int32(env, arguments[0], &fd) != napi_ok)
		return wrong(env);
	if (set->first_free == set->count && !grow(set))
		return number(env, -ENOMEM);
	index = set->first_free;
	slot = &set->slots[index];
	event.data.u32 = slot->generation << SLOT_BITS | index;
	if (epoll_ctl(set->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return number(env, -errno);
	set->first_free = slot->next_free;
	slot->fd = fd;
	return number(env, event.data.u32);
}

/* read(id): how much is in the shared memory now, 0 at the end, or a negative errno. */
static napi_value read_one(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct set *set = set_of(env, info, 1, arguments);
	struct slot *slot;
	ssize_t n;

	if (!set)
		return wrong(env);
	if (!(slot = slot_of(set, arguments[0])))
		return number(env, -EBADF);
	n = recv(slot->fd, set->memory, set->memory_bytes, MSG_DONTWAIT);
	return number(env, n < 0 ? -errno : n);
}

/* A text goes byte by byte (latin1); false where it is neither text nor bytes, or there is no room left for it. */
static bool part_of(struct set *set, napi_value value, size_t *text_bytes, struct iovec *part)
{
	napi_valuetype type;
	void *bytes;

	if (napi_typeof(set->env, value, &type) != napi_ok)
		return false;
	if (type == napi_string) {
		part->iov_base = set->text + *text_bytes;
		if (napi_get_value_string_latin1(set->env, value, part->iov_base, TEXT_BYTES - *text_bytes,
						 &part->iov_len) != napi_ok)
			return false;
		*text_bytes += part->iov_len;
		/* Where it did not fit it was cut. */
		return *text_bytes < TEXT_BYTES - 1;
	}
	if (napi_get_buffer_info(set->env, value, &bytes, &part->iov_len) != napi_ok)
		return false;
	part->iov_base = bytes;
	return true;
}

/* write(id, parts): of an array of texts and buffers, how many bytes were taken; or a negative errno. */
static napi_value write_parts(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct set *set = set_of(env, info, 2, arguments);
	struct iovec parts[MAX_PARTS];
	struct msghdr message = {.msg_iov = parts};
	struct slot *slot;
	size_t text_bytes = 0;
	uint32_t count;
	ssize_t n;

	if (!set || napi_get_array_length(env, arguments[1], &count) != napi_ok || count > MAX_PARTS)
		return wrong(env);
	for (uint32_t i = 0; i < count; i++) {
		napi_value value;

		if (napi_get_element(env, arguments[1], i, &value) != napi_ok ||
		    !part_of(set, value, &text_bytes, &parts[i]))
			return wrong(env);
	}
	if (!(slot = slot_of(set, arguments[0])))
		return number(env, -EBADF);
	message.msg_iovlen = count;
	n = sendmsg(slot->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	return number(env, n < 0 ? -errno : n);
}

/* shutdown(id): the last byte has been written. */
static napi_value shut_down(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct set *set = set_of(env, info, 1, arguments);
	struct slot *slot;

	if (!set)
		return wrong(env);
	if ((slot = slot_of(set, arguments[0])))
		shutdown(slot->fd, SHUT_WR);
	return NULL;
}

static void close_slot(struct set *set, struct slot *slot, bool reset)
{
	/* SO_LINGER of zero makes close send RST and drop what is unsent (tcp(7)). */
	struct linger linger = {.l_onoff = 1};

	if (reset)
		setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(slot->fd);
	slot->fd = -1;
	slot->generation = (slot->generation + 1) % GENERATIONS;
	slot->next_free = set->first_free;
	set->first_free = slot - set->slots;
}

/* close(id, reset) */
static napi_value close_one(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct set *set = set_of(env, info, 2, arguments);
	struct slot *slot;
	bool reset;

	if (!set || napi_get_value_bool(env, arguments[1], &reset) != napi_ok)
		return wrong(env);
	if ((slot = slot_of(set, arguments[0])))
		close_slot(set, slot, reset);
	return NULL;
}

/* All that has happened, in one call. What is still left makes the descriptor readable again. */
static void ready(uv_poll_t *poll, int status, int events)
{
	struct set *set = poll->data;
	struct epoll_event happened[MAX_EVENTS];
	napi_value function, self, argument, exception;
	napi_handle_scope scope;
	int count = epoll_wait(set->epoll, happened, MAX_EVENTS, 0);

	(void)status, (void)events;
	if (count <= 0)
		return;
	for (int i = 0; i < count; i++) {
		set->told[2 * i] = happened[i].data.u32;
		set->told[2 * i + 1] = happened[i].events;
	}
	napi_open_handle_scope(set->env, &scope);
	if (napi_get_reference_value(set->env, set->ready, &function) == napi_ok &&
	    napi_get_reference_value(set->env, set->self, &self) == napi_ok) {
		argument = number(set->env, count);
		if (napi_make_callback(set->env, set->context, self, function, 1, &argument, NULL) ==
			    napi_pending_exception &&
		    napi_get_and_clear_last_exception(set->env, &exception) == napi_ok)
			napi_fatal_exception(set->env, exception);
	}
	napi_close_handle_scope(set->env, scope);
}

static void poll_closed(uv_handle_t *handle)
{
	struct set *set = handle->data;

	close(set->epoll);
	napi_remove_async_cleanup_hook(set->cleanup);
	free(set->slots);
	free(set);
}

static void environment_ends(napi_async_cleanup_hook_handle handle, void *data)
{
	struct set *set = data;

	(void)handle;
	for (uint32_t i = 0; i < set->count; i++)
		if (set->slots[i].fd >= 0)
			close(set->slots[i].fd);
	uv_close((uv_handle_t *)&set->poll, poll_closed);
}

static const napi_property_descriptor METHODS[] = {
	{"add", NULL, add, NULL, NULL, NULL, napi_default, NULL},
	{"read", NULL, read_one, NULL, NULL, NULL, napi_default, NULL},
	{"write", NULL, write_parts, NULL, NULL, NULL, napi_default, NULL},
	{"shutdown", NULL, shut_down, NULL, NULL, NULL, napi_default, NULL},
	{"close", NULL, close_one, NULL, NULL, NULL, napi_default, NULL},
};

/* sockets(memory, told, ready): the set, which lives as long as the environment; or an errno. */
napi_value sockets_open(napi_env env, napi_callback_info info)
{
	struct set *set = calloc(1, sizeof *set);
	napi_value arguments[3], object, name;
	napi_typedarray_type type;
	size_t count = 3, length;
	uv_loop_t *loop;
	void *memory, *told;

	if (!set)
		return number(env, ENOMEM);
	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 3 ||
	    napi_get_buffer_info(env, arguments[0], &memory, &set->memory_bytes) != napi_ok ||
	    napi_get_typedarray_info(env, arguments[1], &type, &length, &told, NULL, NULL) != napi_ok ||
	    type != napi_int32_array || length < 2 * MAX_EVENTS ||
	    napi_create_reference(env, arguments[2], 1, &set->ready) != napi_ok) {
		free(set);
		return wrong(env);
	}
	set->env = env;
	set->memory = memory;
	set->told = told;
	set->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (set->epoll < 0 || napi_get_uv_event_loop(env, &loop) != napi_ok ||
	    uv_poll_init(loop, &set->poll, set->epoll) != 0) {
		int error = errno ? errno : ENOSYS;

		close(set->epoll);
		napi_delete_reference(env, set->ready);
		free(set);
		return number(env, error);
	}
	set->poll.data = set;
	uv_poll_start(&set->poll, UV_READABLE, ready);
	/* What is open does not keep the process from ending. */
	uv_unref((uv_handle_t *)&set->poll);
	napi_create_string_utf8(env, "sallyport sockets", NAPI_AUTO_LENGTH, &name);
	napi_async_init(env, NULL, name, &set->context);
	napi_create_object(env, &object);
	napi_wrap(env, object, set, NULL, NULL, NULL);
	napi_define_properties(env, object, sizeof METHODS / sizeof *METHODS, METHODS);
	napi_create_reference(env, arguments[0], 1, &set->memory_ref);
	napi_create_reference(env, arguments[1], 1, &set->told_ref);
	napi_create_reference(env, object, 1, &set->self);
	napi_add_async_cleanup_hook(env, environment_ends, set, &set->cleanup);
	return object;
}

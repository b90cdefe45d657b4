/*
 * What crosses between JavaScript and the engine's thread: events one way, commands the other, each a linked list that
 * its reader takes whole (queue.h). Whoever takes a message frees it, and what it carries that nobody took (messages.c).
 */
#ifndef SALLYPORT_MESSAGES_H
#define SALLYPORT_MESSAGES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	MAX_ADDRESSES = 8,   /* of one dial, tried in their order */
	MAX_HEAD = 64 << 10, /* bytes that may be peeked at */
	MAX_SAID = 16 << 10, /* of the first bytes relayed, where they are to be shown */
	PORT_SET_BYTES = 65536 / 8, /* a bit for each port */
};

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct limits {
	uint32_t connections;       /* open at once; one more is reset */
	uint32_t verdict_ms;        /* how long a connection waits for JavaScript */
	uint32_t idle_ms;           /* without a byte either way; 0: for ever */
	uint32_t half_closed_ms;    /* the same, once one side has ended; 0: for ever */
	uint32_t keepalive_seconds; /* TCP keepalive on both sides; 0: none */
};

/* Who ended a connection, and how. engine.ts lists the same names in the same order. */
enum side { APP, UPSTREAM, ENGINE };
enum ending { ENDED, RESET, REFUSED, FAILED, TIMED_OUT, CLOSED };

enum event_type {
	ACCEPTED,
	HEAD,
	SAID,
	RELEASED,
	DIALLED,
	GONE,
	FINISHED,
	LIVE,
	REPORTED,
	ACCEPTING,
	DELIVERED,
	STOPPED
};

struct event {
	struct event *next;
	enum event_type type;
	uint64_t id;
	struct { /* of HEAD and SAID, and of ACCEPTED where first bytes were waited for */
		uint8_t *bytes; /* NULL: none */
		uint32_t length;
		bool ended, timed_out;
	} head;
	union {
		struct {
			union address source, destination;
			bool direct;     /* nothing redirected it: somebody connected to the listener itself */
			bool own;        /* it comes from a socket of this engine's */
			bool over_limit; /* it has been reset already, and its id is 0 */
			int error;       /* errno: where it was going is unknown, or it could not be kept */
		} accepted;
		struct { /* of RELEASED and DIALLED */
			int fd; /* -1: none, or JavaScript has it */
			int error;
			int32_t address; /* index of the one that connected, or failed last; -1: none was dialled */
			uint64_t connect_us;
		} handed;
		struct {
			uint64_t sent, received, connect_us, total_us;
			int32_t address; /* index of the one dialled last; -1: none */
			int error;
			enum side by;
			enum ending how;
		} finished;
		struct {
			uint64_t sent, received;
			int32_t address; /* index of the one that is relayed to; -1: not yet */
		} live;
		struct {
			bool paused;
			int error;
		} accepting;
	};
};

enum command_type {
	PEEK,
	RELAY,
	REFUSE,
	RELEASE,
	DIAL,
	CLOSE,
	CLOSE_ALL,
	REPORT,
	LIMIT,
	PEEK_FIRST,
	PAUSE,
	RESUME,
	STOP
};

struct command {
	struct command *next;
	enum command_type type;
	uint64_t id;
	union {
		struct {
			uint32_t more_than; /* bytes already seen: wait for one more */
			uint32_t wait_ms;
		} peek;
		struct { /* of RELAY and DIAL */
			uint32_t count, connect_ms;
			bool show; /* the app's first bytes, once they are relayed */
			union address addresses[MAX_ADDRESSES];
		} dial;
		struct {
			uint8_t *bytes; /* NULL: reset */
			uint32_t length;
		} refuse;
		struct limits limits;
		struct {
			uint8_t *ports; /* PORT_SET_BYTES of them; NULL: none */
			uint32_t wait_ms;
		} peek_first;
	};
};

bool event_hands_over(const struct event *event); /* a descriptor, to whoever takes it */
void event_free(struct event *event);
void command_free(struct command *command);

#endif

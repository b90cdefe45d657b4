/*
 * The engine: one thread that accepts, recovers the original destination, waits for first bytes when asked, connects and
 * relays. It knows nothing of rules, names or HTTP: JavaScript gives every verdict, and addon.c carries them across.
 *
 *   loop.c        the thread: readiness, commands, deadlines
 *   listener.c    accept, SO_ORIGINAL_DST, running out of descriptors
 *   connection.c  from accept to its one end
 *   verdict.c     what JavaScript may say of a connection: peek, relay, refuse, release, dial, close
 *   dial.c        non-blocking connect to several addresses, the first that answers wins
 *   own.c         which accepted connections are our own
 *   relay.c       both directions: copy what is small, splice what is large
 *   pipes.c       the splice pipes, pooled
 *   deadlines.c   a heap of connections by their next deadline
 *   messages.c    what crosses between this thread and JavaScript
 *   addon*.c      what JavaScript sees of it
 *
 * What JavaScript has to read, it moves itself: a release hands it the app's socket, and from then on the connection is
 * held. It is open, and counts as such, until JavaScript closes it; meanwhile the engine dials for it, as often as it is
 * asked to, and hands over what has connected.
 *
 * Who owns what: a descriptor belongs to its struct end from accept or connect until end_close, or until end_hand_over
 * gives it to JavaScript. An attempt belongs to its connection until it is dropped; the one whose descriptor was handed
 * over stays till the next dial or the end, in the table of own.c, for its SYN may not have been accepted yet. A pipe
 * belongs to the flow that took it until pipe_put. All of this is touched by the engine's own thread alone; the two
 * queues (queue.h) are all that it shares with JavaScript's, and the table of own.c with other engines'.
 */
#ifndef SALLYPORT_ENGINE_H
#define SALLYPORT_ENGINE_H

#include <stdatomic.h>

#include "messages.h"
#include "queue.h"

enum {
	COPY_BYTES = 64 << 10,   /* one read in copy mode, and the most that a blocked flow holds back */
	PIPE_BYTES = 256 << 10,  /* of a splice pipe: bulk speed stops growing there */
	SPLICE_FROM = 32 << 10,  /* a read of at least this much turns a flow to splicing */
	SPLICE_UNTIL = 16 << 10, /* a splice of less than this, with the pipe empty, turns it back */
	TURN_BYTES = 4 << 20,    /* what one flow may move before the others have their turn: under 1 ms when spliced */
	OWN_HOPS = 63,           /* hop limit of what this process dials */
	LINGER_MS = 2000,        /* how long a refused app may take to read its answer */
};

struct engine;
struct connection;

/* One socket, registered once and edge-triggered: what epoll said last is remembered until a call says EAGAIN. */
struct end {
	struct connection *connection; /* NULL: a listener or the wake-up descriptor */
	int fd;                        /* -1: none */
	bool readable, writable;
	bool hung_up; /* EPOLLRDHUP: the last byte is in the receive buffer, read until 0 */
	bool failed;  /* EPOLLERR: a reset may be waiting behind data that cannot be passed on */
};

/* A socket that connects to one address of a dial. The one that has connected first is the upstream. */
struct attempt {
	struct end end;
	struct attempt *next; /* of its connection's, begun later; or of the engine's dropped ones */
	int32_t address;      /* index in the dial */
	uint64_t until_ms;
	bool is_own; /* in the table of own.c, by these: */
	union address own_source, own_destination;
	struct attempt *next_own;
};

/* One direction. What was read and is not yet written is held back in `held` or in the pipe. */
struct flow {
	struct end *from, *to;
	uint64_t bytes; /* written to `to` */
	uint8_t *held;
	uint32_t held_at, held_until;
	struct pipe *pipe;
	uint32_t piped;
	bool splicing;
	bool show;      /* what is read first is told to JavaScript too */
	bool ended;     /* `from` has said its last byte */
	bool passed_on; /* and `to` has been told so */
};

enum state { WAITING, PEEKING, DIALLING, RELAYING, LINGERING, HELD, OVER };

struct connection {
	struct engine *engine;
	uint64_t id;
	enum state state;
	bool is_ready; /* in the engine's ready list */
	bool one_ended;
	enum side first_end;
	struct end app;           /* without a descriptor once that has been released: HELD, or DIALLING for JavaScript */
	struct attempt *attempts; /* DIALLING: under way; RELAYING: the upstream alone; HELD: what was handed over last */
	struct flow sent, received;
	struct command *dial; /* while DIALLING; owned */
	uint64_t dial_us;     /* when that began */
	uint32_t next_address;
	uint64_t next_attempt_ms;
	int dial_error;
	int32_t address;      /* index of the address dialled last; -1: none */
	uint32_t more_than;   /* while PEEKING */
	struct event *untold; /* JavaScript hears of it with its first bytes; owned */
	uint64_t accepted_us, connected_us; /* to what it is relayed to; 0: not */
	uint64_t active_ms;   /* when a byte last moved */
	uint64_t deadline_ms; /* 0: none */
	uint32_t heap_index;
	uint32_t slot;
	struct connection *next_ready, *next_over;
};

struct pipe {
	struct pipe *next;
	int in, out;
};

struct engine {
	/* shared */
	struct queue commands, events;
	void (*wake_javascript)(struct engine *);
	atomic_bool javascript_is_told; /* a batch is on its way, or being given */
	int wake; /* eventfd: commands wait */

	pthread_t thread;
	int epoll;
	struct end wake_end, listeners[2];
	uint32_t listener_count;
	bool share_port; /* with the listeners of other engines: SO_REUSEPORT */
	bool paused, stopping, has_news;
	bool starved;             /* descriptors have run out, and JavaScript has been told */
	uint64_t retry_accept_ms; /* nothing is accepted before, nor while paused; 0: no rest */
	struct limits limits;
	uint8_t *peek_first; /* a bit for each port where first bytes are told together with the connection; NULL: none */
	uint32_t peek_first_ms;
	struct connection **slots; /* by slot number; NULL: free */
	uint32_t *generations, *free_slots;
	uint32_t slot_count, free_count, open;
	struct connection **heap;
	uint32_t heap_count;
	struct connection *ready_first, *ready_last, *over;
	struct attempt *dropped;
	struct pipe *pipes;
	uint32_t pipe_count; /* idle ones */
	uint64_t no_pipes_until_ms;
	uint64_t now_ms;
	uint8_t buffer[MAX_HEAD];
};

/* loop.c */
void emit(struct engine *engine, enum event_type type, const struct event *content);
void *loop_run(void *engine);
void loop_ready(struct connection *connection); /* look at it again before sleeping */
int loop_register(struct engine *engine, struct end *end, uint32_t events);
uint64_t clock_us(void);

/* listener.c: errno, or 0 */
int listener_open(struct engine *engine, const union address *address, uint16_t *port);
void listener_accept(struct engine *engine, struct end *listener);
uint64_t listener_retry_ms(const struct engine *engine); /* UINT64_MAX: never */
void listener_retry(struct engine *engine);
void listener_pause(struct engine *engine, bool pause);
void listener_keepalive(struct engine *engine);

/* connection.c */
struct connection *connection_new(struct engine *engine, int fd);
struct connection *connection_find(struct engine *engine, uint64_t id);
void connection_tell(struct connection *connection);
void connection_end(struct connection *connection, enum side by, enum ending how, int error);
void connection_event(struct connection *connection);
void connection_deadline(struct connection *connection);
void connection_sweep(struct engine *engine);
void end_close(struct end *end, bool reset);
int end_hand_over(struct end *end);

/* verdict.c */
void verdict_obey(struct engine *engine, struct command *command);
void verdict_await(struct connection *connection, const struct event *accepted);
void verdict_peek(struct connection *connection);
void verdict_linger(struct connection *connection);
void verdict_close_all(struct engine *engine);

/* dial.c */
void dial_start(struct connection *connection, struct command *dial);
void dial_event(struct connection *connection);
void dial_deadline(struct connection *connection);
void dial_keepalive(struct engine *engine, int fd);
void dial_forget(struct connection *connection, bool reset);
void dial_sweep(struct engine *engine);

/* own.c */
int own_connect(struct attempt *attempt, const union address *to); /* errno, or 0: under way */
void own_remove(struct attempt *attempt);
bool own_has(int fd, const union address *source, const union address *destination); /* of an accepted socket */
bool address_equal(const union address *a, const union address *b);

/* relay.c */
void relay_start(struct connection *connection, bool show);
void relay_move(struct connection *connection);
void relay_deadline(struct connection *connection);
void flow_clear(struct engine *engine, struct flow *flow);

/* pipes.c */
struct pipe *pipe_get(struct engine *engine);
void pipe_put(struct engine *engine, struct pipe *pipe, bool empty);
void pipes_close(struct engine *engine);

/* deadlines.c */
void deadline_set(struct connection *connection, uint64_t at_ms); /* 0: none */
struct connection *deadline_next(struct engine *engine);

#endif

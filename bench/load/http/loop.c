#include "loop.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

enum { AT_ONCE = 64 /* dialled: fewer than any backlog */, SECOND_NS = 1000000000 };

static int epoll = -1;
static const struct sockaddr_in *address;
static struct connection *connections;
static int connection_count;

void have_connections(int count, const struct sockaddr_in *to)
{
    if (epoll < 0)
        epoll = epoll_create1(0);
    address = to;
    connection_count = count;
    connections = calloc(count, sizeof *connections);
    for (int i = 0; i < count; i++)
        connections[i].fd = -1;
}

/* The next connection whose exchange is over; NULL: it is then, and none is. */
static struct connection *next_over(int64_t until_ns)
{
    static struct epoll_event events[EVENTS];
    static int ready, next;
    for (;;) {
        while (next < ready) {
            struct connection *connection = events[next++].data.ptr;
            if (go_on(connection))
                return connection;
        }
        int64_t left_ns = until_ns - now_ns();
        if (left_ns <= 0)
            return NULL;
        struct timespec left = {left_ns / SECOND_NS, left_ns % SECOND_NS};
        next = 0;
        ready = epoll_pwait2(epoll, events, EVENTS, &left, NULL);
    }
}

int64_t ask_without_pause(const struct exchange *exchange, int64_t for_ns)
{
    int64_t over = 0, until_ns = now_ns() + for_ns;
    struct connection *connection;
    for (int i = 0; i < connection_count; i++)
        if (connections[i].fd < 0)
            begin(&connections[i], exchange, address, epoll);
    while ((connection = next_over(until_ns))) {
        over++;
        begin(connection, exchange, address, epoll);
    }
    return over;
}

void ask_at_rate(const struct exchange *exchange, int count, int rate, int64_t *latencies_ns)
{
    /* Connections that have nothing to ask, as a ring: the longest idle first. */
    struct connection **idle = malloc(connection_count * sizeof *idle);
    int first = 0, idle_count = connection_count;
    for (int i = 0; i < connection_count; i++)
        idle[i] = &connections[i];

    int64_t due_ns = now_ns();
    for (int begun = 0, over = 0; over < count;) {
        int64_t now = now_ns();
        for (; begun < count && due_ns <= now && idle_count > 0; begun++, idle_count--) {
            struct connection *connection = idle[first++ % connection_count];
            connection->asked_ns = connection->idle_since_ns > due_ns ? due_ns : now_ns();
            begin(connection, exchange, address, epoll);
            due_ns += SECOND_NS / rate;
        }
        int waits = begun < count && idle_count > 0;
        struct connection *connection = next_over(waits ? due_ns : now + PATIENCE_S * (int64_t)SECOND_NS);
        if (!connection && !waits)
            die("no answer came for %d s", PATIENCE_S);
        if (!connection)
            continue;
        connection->idle_since_ns = now_ns();
        latencies_ns[over++] = connection->idle_since_ns - connection->asked_ns;
        idle[(first + idle_count++) % connection_count] = connection;
    }
    free(idle);
}

void ask_once_each(const struct exchange *exchange, int count, const struct sockaddr_in *to)
{
    for (int left = count; left > 0; left -= AT_ONCE) {
        have_connections(left < AT_ONCE ? left : AT_ONCE, to);
        for (int i = 0; i < connection_count; i++)
            begin(&connections[i], exchange, address, epoll);
        for (int over = 0; over < connection_count; over++)
            if (!next_over(now_ns() + PATIENCE_S * (int64_t)SECOND_NS))
                die("no answer came for %d s", PATIENCE_S);
    }
}

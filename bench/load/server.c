/* The far end of every connection: one thread, which does what the command byte says. `server`, port 7000. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { CONNECTIONS = 32768, TURNS = 16 /* blocks moved for one connection before the next has its turn */ };

struct connection {
    size_t seen; /* of the first flight, then of the ping that is coming in */
    char command;
};

static struct connection connections[CONNECTIONS]; /* by file descriptor */

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* accepted sockets inherit it */
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 4096) < 0)
        die("cannot listen on port %d: %s", port, strerror(errno));
    return fd;
}

static void accept_all(int epoll, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED))
            return;
        if (fd < 0 || fd >= CONNECTIONS)
            die("accept: %s", strerror(fd < 0 ? errno : EMFILE));
        connections[fd] = (struct connection){0};
        watch(epoll, fd, EPOLLIN, fd);
    }
}

static ssize_t answer(int fd)
{
    return send(fd, block, PING_BYTES, MSG_NOSIGNAL);
}

/* The first flight, which may come in pieces, and the command at its end. */
static ssize_t greet(int epoll, int fd, struct connection *connection)
{
    ssize_t got = recv(fd, block, FLIGHT_BYTES - connection->seen, 0);
    if (got <= 0 || (connection->seen += got) < FLIGHT_BYTES)
        return got;
    connection->command = block[got - 1];
    connection->seen = 0;
    if (connection->command == ECHO)
        return answer(fd);
    if (connection->command == SOURCE) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = fd};
        epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
    }
    return got;
}

/* MSG_TRUNC: the kernel drops the bytes unread (tcp(7)), so that the ends of the bed are not what is measured. */
static ssize_t sink(int fd)
{
    ssize_t got = 1;
    for (int turn = 0; turn < TURNS && got > 0; turn++)
        got = recv(fd, block, sizeof block, MSG_TRUNC);
    return got;
}

static ssize_t source(int fd)
{
    char byte;
    ssize_t sent = recv(fd, &byte, 1, MSG_DONTWAIT) == 0 ? 0 : 1;
    for (int turn = 0; turn < TURNS && sent > 0; turn++)
        sent = send(fd, block, sizeof block, MSG_NOSIGNAL);
    return sent;
}

static ssize_t echo(int fd, struct connection *connection)
{
    ssize_t got = recv(fd, block, PING_BYTES - connection->seen, 0);
    if (got <= 0 || (connection->seen += got) < PING_BYTES)
        return got;
    connection->seen = 0;
    return answer(fd);
}

/* What recv or send said last: 0 and errors end the connection, EAGAIN does not. */
static ssize_t serve(int epoll, int fd)
{
    struct connection *connection = &connections[fd];
    switch (connection->command) {
    case 0:
        return greet(epoll, fd, connection);
    case SINK:
        return sink(fd);
    case SOURCE:
        return source(fd);
    case ECHO:
        return echo(fd, connection);
    default:
        die("unknown command %d: the first flight did not arrive as it was sent", connection->command);
    }
}

int main(void)
{
    may_open_many();
    int epoll = epoll_create1(0), listener = listen_on(PORT);
    watch(epoll, listener, EPOLLIN, listener);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.u64;
            errno = 0; /* an end leaves it so */
            if (fd == listener)
                accept_all(epoll, listener);
            else if (serve(epoll, fd) <= 0 && errno != EAGAIN)
                close(fd);
        }
    }
}

/* The far end of every connection: one thread that answers GET and POST of /small and /large. `origin [PORT]`, or 80. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"

enum { HTTP_PORT = 80, CONNECTIONS = 16384 };

#define FIELDS "Server: origin\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\nContent-Type: text/plain\r\n"
#define OK_HEAD "HTTP/1.1 200 OK\r\n" FIELDS

enum state { READING_HEAD, READING_BODY, WRITING };

struct connection {
    enum state state;
    char in[HEAD_BYTES];
    size_t got;
    size_t body, body_got; /* of the request */
    int checks;            /* compares that body instead of counting it */
    int closes;
    const char *out; /* NULL: a large body */
    size_t size, sent;
};

static struct connection connections[CONNECTIONS]; /* by file descriptor */

struct exchange {
    const char *line; /* beginning of the request */
    size_t body, answer;
    int checks;
};

static const struct exchange exchanges[] = {
    {"GET /small HTTP/1.1\r\n", 0, SMALL_BYTES, 0},
    {"POST /small HTTP/1.1\r\n", SMALL_BYTES, SMALL_BYTES, 1},
    {"GET /large HTTP/1.1\r\n", 0, LARGE_BYTES, 0},
    {"POST /large HTTP/1.1\r\n", LARGE_BYTES, SMALL_BYTES, 0},
    {"POST /large?checked HTTP/1.1\r\n", LARGE_BYTES, SMALL_BYTES, 1},
};

static char small_answer[512], large_head[512];
static size_t small_answer_bytes, large_head_bytes;

static void write_answers(void)
{
    write_large();
    small_answer_bytes = sprintf(small_answer, OK_HEAD "Content-Length: %d\r\n\r\n%.*s", SMALL_BYTES, SMALL_BYTES, large);
    large_head_bytes = sprintf(large_head, OK_HEAD "Content-Length: %d\r\n\r\n", LARGE_BYTES);
}

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
        connections[fd].state = READING_HEAD;
        connections[fd].got = 0;
        watch(epoll, fd, EPOLLIN, fd);
    }
}

static void watch_for(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = fd};
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

/* Says what is wrong in the status line, where the load's complaint shows it. 0: the connection ends. */
static int refuse(int fd, const char *what)
{
    char answer[256];
    int bytes = snprintf(answer, sizeof answer, "HTTP/1.1 400 The request has %s\r\nContent-Length: 0\r\n\r\n", what);
    send(fd, answer, bytes, MSG_NOSIGNAL);
    return 0;
}

/* 1: all of it is sent, or will be when the socket takes more. */
static int write_on(int epoll, int fd, struct connection *connection)
{
    while (connection->sent < connection->size) {
        size_t from = connection->out ? connection->sent : connection->sent - large_head_bytes;
        const char *bytes = connection->out ? connection->out : large;
        ssize_t sent = send(fd, bytes + from, connection->size - connection->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            if (connection->state != WRITING)
                watch_for(epoll, fd, EPOLLOUT);
            connection->state = WRITING;
            return 1;
        }
        if (sent < 0)
            return 0;
        connection->sent += sent;
    }
    if (connection->state == WRITING)
        watch_for(epoll, fd, EPOLLIN);
    connection->state = READING_HEAD;
    connection->got = 0;
    return !connection->closes;
}

static int answer(int epoll, int fd, struct connection *connection)
{
    connection->sent = 0;
    if (connection->out)
        return write_on(epoll, fd, connection);
    ssize_t sent = send(fd, large_head, large_head_bytes, MSG_NOSIGNAL | MSG_MORE);
    connection->sent = sent;
    return sent == (ssize_t)large_head_bytes && write_on(epoll, fd, connection);
}

static int take_body(int epoll, int fd, struct connection *connection, const char *bytes, size_t count)
{
    if (connection->body_got + count > connection->body)
        return refuse(fd, "more than its body");
    if (bytes && !is_body(bytes, count, connection->body_got))
        return refuse(fd, "another body");
    connection->body_got += count;
    return connection->body_got < connection->body || answer(epoll, fd, connection);
}

static int begin(int epoll, int fd, struct connection *connection)
{
    struct head head;
    const char *wrong = read_head(connection->in, connection->got, &head);
    if (wrong)
        return refuse(fd, wrong);
    if (!head.bytes)
        return 1;
    if (head.hosts != 1)
        return refuse(fd, "no Host, or two");
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        const struct exchange *exchange = &exchanges[i];
        if (strncmp(connection->in, exchange->line, strlen(exchange->line)) != 0)
            continue;
        if (head.content_length != (int64_t)exchange->body && (exchange->body || head.content_length > 0))
            return refuse(fd, "another length");
        connection->state = READING_BODY;
        connection->body = exchange->body;
        connection->body_got = 0;
        connection->checks = exchange->checks;
        connection->closes = head.closes;
        connection->out = exchange->answer == SMALL_BYTES ? small_answer : NULL;
        connection->size = connection->out ? small_answer_bytes : large_head_bytes + LARGE_BYTES;
        return take_body(epoll, fd, connection, connection->in + head.bytes, connection->got - head.bytes);
    }
    return refuse(fd, "another target");
}

/* MSG_TRUNC: the kernel drops the bytes unread (tcp(7)), so that the ends of the bed are not what is measured. */
static ssize_t read_body(int epoll, int fd, struct connection *connection)
{
    ssize_t got = recv(fd, block, sizeof block, connection->checks ? 0 : MSG_TRUNC);
    return got <= 0 ? got : take_body(epoll, fd, connection, connection->checks ? block : NULL, got);
}

/* 0 and errors end the connection, EAGAIN does not. */
static ssize_t serve(int epoll, int fd)
{
    struct connection *connection = &connections[fd];
    if (connection->state == WRITING)
        return write_on(epoll, fd, connection);
    if (connection->state == READING_BODY)
        return read_body(epoll, fd, connection);
    ssize_t got = recv(fd, connection->in + connection->got, HEAD_BYTES - connection->got, 0);
    if (got <= 0)
        return got;
    connection->got += got;
    return begin(epoll, fd, connection);
}

int main(int argc, char **argv)
{
    may_open_many();
    write_answers();
    int epoll = epoll_create1(0), listener = listen_on(argc > 1 ? atoi(argv[1]) : HTTP_PORT);
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

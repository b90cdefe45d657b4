#include "exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* 0: the connection is not established yet, or takes no more now. */
static int send_some(struct connection *connection, const char *bytes, size_t count)
{
    ssize_t sent = send(connection->fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        die("a request: %s", strerror(errno));
    if (sent > 0)
        connection->sent += sent;
    return sent > 0;
}

static size_t whole(const struct exchange *exchange)
{
    return exchange->request_bytes + exchange->upload;
}

static void send_request(struct connection *connection)
{
    const struct exchange *exchange = connection->exchange;
    size_t head = exchange->request_bytes;
    while (connection->sent < head)
        if (!send_some(connection, exchange->request + connection->sent, head - connection->sent))
            return;
    while (connection->sent < whole(exchange))
        if (!send_some(connection, large + connection->sent - head, whole(exchange) - connection->sent))
            return;
}

void begin(struct connection *connection, const struct exchange *exchange, const struct sockaddr_in *to, int epoll)
{
    connection->exchange = exchange;
    connection->sent = connection->got = connection->body_got = connection->answered = 0;
    if (connection->fd < 0) {
        connection->fd = dial(to);
        watch(epoll, connection->fd, EPOLLIN | EPOLLOUT | EPOLLET, (uint64_t)(uintptr_t)connection);
        return;
    }
    send_request(connection);
}

/* The bytes are compared where they were read at all. */
static void take_body(struct connection *connection, const char *bytes, size_t count)
{
    if (connection->body_got + count > connection->exchange->answer)
        die("more came than the response's body");
    if (bytes && !is_body(bytes, count, connection->body_got))
        die("another body came than was sent");
    connection->body_got += count;
}

static void take_head(struct connection *connection)
{
    const struct exchange *exchange = connection->exchange;
    struct head head;
    const char *status = "HTTP/1.1 200 ";
    const char *wrong = read_head(connection->in, connection->got, &head);
    if (connection->got >= strlen(status) && strncmp(connection->in, status, strlen(status)) != 0)
        die("the response begins: %.*s", (int)strcspn(connection->in, "\r"), connection->in);
    if (wrong)
        die("the response has %s", wrong);
    if (!head.bytes)
        return;
    if (head.content_length != (int64_t)exchange->answer)
        die("the response has another length, or none");
    if (head.closes && !exchange->closes)
        die("the response ends the connection");
    if (connection->sent < whole(exchange))
        die("the response came before the request was complete");
    connection->answered = 1;
    take_body(connection, connection->in + head.bytes, connection->got - head.bytes);
}

static ssize_t receive(struct connection *connection)
{
    if (!connection->answered)
        return recv(connection->fd, connection->in + connection->got, HEAD_BYTES - 1 - connection->got, 0);
    return recv(connection->fd, block, sizeof block, connection->exchange->checks ? 0 : MSG_TRUNC);
}

static int is_over(const struct connection *connection)
{
    return connection->answered && connection->body_got == connection->exchange->answer;
}

static int end(struct connection *connection)
{
    connection->exchange = NULL;
    return 1;
}

/* An edge that came late says nothing; bytes that nobody asked for, or an end, are wrong. */
static int expect_nothing(const struct connection *connection)
{
    ssize_t got = recv(connection->fd, block, 1, 0);
    if (got >= 0 || errno != EAGAIN)
        die(got > 0 ? "bytes came that nobody asked for" : "an idle connection was closed");
    return 0;
}

int go_on(struct connection *connection)
{
    const struct exchange *exchange = connection->exchange;
    if (!exchange)
        return expect_nothing(connection);
    if (connection->sent < whole(exchange))
        send_request(connection);
    while (!is_over(connection) || exchange->closes) {
        ssize_t got = receive(connection);
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got == 0 && exchange->closes && is_over(connection)) {
            close(connection->fd);
            connection->fd = -1;
            return end(connection);
        }
        if (got <= 0)
            die("a connection ended before its response: %s", got < 0 ? strerror(errno) : "end of stream");
        if (connection->answered) {
            take_body(connection, exchange->checks ? block : NULL, got);
        } else {
            connection->got += got;
            connection->in[connection->got] = 0;
            take_head(connection);
        }
    }
    return end(connection);
}

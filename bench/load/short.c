/* Connect, say hello, get one answer, close; always as many at once. Prints finished connections. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { FDS = 32768 };

static char flight[FLIGHT_BYTES];
static size_t answered[FDS]; /* by file descriptor */
static char greeted[FDS];

static void start(int epoll, const struct sockaddr_in *to)
{
    int fd = dial(to);
    if (fd >= FDS)
        die("too many files");
    answered[fd] = greeted[fd] = 0;
    watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLET, fd);
}

static int error_of(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

/* True when the answer is complete. */
static int go_on(int fd, uint32_t events)
{
    if (events & EPOLLERR)
        die("a connection failed: %s", strerror(error_of(fd)));
    if (!greeted[fd]) {
        if (!(events & EPOLLOUT))
            return 0;
        if (send(fd, flight, sizeof flight, MSG_NOSIGNAL) != sizeof flight)
            die("the first flight: %s", strerror(errno));
        greeted[fd] = 1;
    }
    ssize_t got = recv(fd, block, PING_BYTES - answered[fd], 0);
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got <= 0)
        die("a connection ended before its answer: %s", got < 0 ? strerror(errno) : "end of stream");
    return (answered[fd] += got) == PING_BYTES;
}

static double run_until(int epoll, const struct sockaddr_in *to, int64_t end_ns)
{
    double finished = 0;
    while (now_ns() < end_ns) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, PATIENCE_S * 1000);
        if (ready == 0)
            die("no connection went on for %d s", PATIENCE_S);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.u64;
            if (!go_on(fd, events[i].events))
                continue;
            close(fd);
            finished++;
            start(epoll, to);
        }
    }
    return finished;
}

void short_connections(const struct run *run)
{
    int epoll = epoll_create1(0);
    memcpy(flight, HELLO, sizeof HELLO);
    flight[sizeof HELLO] = ECHO;
    for (int i = 0; i < run->connections; i++)
        start(epoll, &run->to);
    run_until(epoll, &run->to, now_ns() + run->warm_ms * 1000000ll);
    struct window window = window_open(&run->processes);
    window_close(&window, run_until(epoll, &run->to, window.from_ns + run->measured_ms * 1000000ll));
}

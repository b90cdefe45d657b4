/* As many bytes as will go, one way, over all connections at once. Prints bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"

enum { TURNS = 16 /* blocks moved for one connection before the next has its turn */ };

/* MSG_TRUNC: the kernel drops the bytes unread (tcp(7)), so that the ends of the bed are not what is measured. */
static double move(int fd, char command)
{
    double moved = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        ssize_t done = command == SINK ? send(fd, block, sizeof block, MSG_NOSIGNAL)
                                       : recv(fd, block, sizeof block, MSG_TRUNC);
        if (done < 0 && errno == EAGAIN)
            break;
        if (done <= 0)
            die("a connection ended early: %s", done < 0 ? strerror(errno) : "end of stream");
        moved += done;
    }
    return moved;
}

static double move_until(int epoll, int64_t end_ns, char command)
{
    double moved = 0;
    while (now_ns() < end_ns) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, PATIENCE_S * 1000);
        if (ready == 0)
            die("no byte moved for %d s", PATIENCE_S);
        for (int i = 0; i < ready; i++)
            moved += move(events[i].data.u64, command);
    }
    return moved;
}

void bulk(const struct run *run, char command)
{
    int epoll = epoll_create1(0);
    for (int i = 0; i < run->connections; i++) {
        int fd = dial_and_greet(&run->to, command);
        set_nonblocking(fd);
        watch(epoll, fd, command == SINK ? EPOLLOUT : EPOLLIN, fd);
    }
    /* The buffers on the way are full after this, so that what goes in comes out. */
    move_until(epoll, now_ns() + run->warm_ms * 1000000ll, command);
    struct window window = window_open(&run->processes);
    window_close(&window, move_until(epoll, window.from_ns + run->measured_ms * 1000000ll, command));
}

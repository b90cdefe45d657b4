/* Holds as many connections as standard input says, number after number, and says each number when they stand. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

enum { AT_ONCE = 64 /* fewer than any backlog */ };

static void greet_some(const struct run *run, int count)
{
    int fds[AT_ONCE];
    for (int i = 0; i < count; i++)
        fds[i] = dial_and_greet(&run->to, ECHO);
    for (int i = 0; i < count; i++)
        if (recv(fds[i], block, PING_BYTES, MSG_WAITALL) != PING_BYTES)
            die("a connection has no answer: %s", strerror(errno));
}

void idle(const struct run *run)
{
    int held = 0, wanted;
    while (scanf("%d", &wanted) == 1) {
        while (held < wanted) {
            int count = wanted - held < AT_ONCE ? wanted - held : AT_ONCE;
            greet_some(run, count);
            held += count;
        }
        printf("%d\n", held);
        fflush(stdout);
    }
}

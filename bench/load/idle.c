/*
 * Holds as many connections as standard input says, number after number, and says each number when they stand: idle ones,
 * which have had an answer each, or stalled ones, whose far end sends without end to a near one that never reads.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

enum { AT_ONCE = 64 /* fewer than any backlog */ };

static void greet_some(const struct run *run, int count, char command)
{
    int fds[AT_ONCE];
    for (int i = 0; i < count; i++)
        fds[i] = dial_and_greet(&run->to, command);
    for (int i = 0; i < count && command == ECHO; i++)
        if (recv(fds[i], block, PING_BYTES, MSG_WAITALL) != PING_BYTES)
            die("a connection has no answer: %s", strerror(errno));
}

void hold(const struct run *run, char command)
{
    int held = 0, wanted;
    while (scanf("%d", &wanted) == 1) {
        while (held < wanted) {
            int count = wanted - held < AT_ONCE ? wanted - held : AT_ONCE;
            greet_some(run, count, command);
            held += count;
        }
        printf("%d\n", held);
        fflush(stdout);
    }
}

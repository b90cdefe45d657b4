/*
 * Small questions over connections that stay, one at a time and at a fixed rate, whatever the answers do: an answer's
 * latency counts from the moment its question was due where an earlier answer held it up (no coordinated omission). Prints
 * {"count", "p50Us", "p99Us"}.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "load.h"

static int ascending(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void expect_answer(int fd)
{
    ssize_t got = recv(fd, block, PING_BYTES, MSG_WAITALL);
    if (got != PING_BYTES)
        die("no answer: %s", got < 0 ? strerror(errno) : "end of stream");
}

static void ask(int fd)
{
    if (send(fd, block, PING_BYTES, MSG_NOSIGNAL) != PING_BYTES)
        die("a question: %s", strerror(errno));
    expect_answer(fd);
}

/* When a question that is due then is asked: then, were it not for an answer that came late; else on waking up. */
static int64_t wait_for(int64_t when_ns)
{
    if (now_ns() > when_ns)
        return when_ns;
    struct timespec when = {when_ns / 1000000000, when_ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
    return now_ns();
}

/* Asks `count` questions, on each connection in turn; where latency is not NULL, notes what each took. */
static void ask_many(const int *fds, const struct run *run, int count, int64_t *latency)
{
    int64_t due_ns = now_ns();
    for (int i = 0; i < count; i++, due_ns += 1000000000 / run->rate) {
        int64_t from_ns = wait_for(due_ns);
        ask(fds[i % run->connections]);
        if (latency)
            latency[i] = now_ns() - from_ns;
    }
}

void keepalive(const struct run *run)
{
    int *fds = calloc(run->connections, sizeof *fds);
    int count = (int64_t)run->rate * run->measured_ms / 1000;
    int64_t *latency = calloc(count, sizeof *latency);
    prctl(PR_SET_TIMERSLACK, 1ul);
    for (int i = 0; i < run->connections; i++)
        expect_answer(fds[i] = dial_and_greet(&run->to, ECHO));
    ask_many(fds, run, (int64_t)run->rate * run->warm_ms / 1000, NULL);
    ask_many(fds, run, count, latency);
    qsort(latency, count, sizeof *latency, ascending);
    printf("{\"count\": %d, \"p50Us\": %.2f, \"p99Us\": %.2f}\n", count, latency[count / 2] / 1e3,
           latency[(int64_t)count * 99 / 100] / 1e3);
}

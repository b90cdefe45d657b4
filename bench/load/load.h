/*
 * What both ends know. A connection begins with a first flight, sent in one piece: HELLO, then one command byte that
 * tells the far end what to do with it.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hello.h"

enum {
    PORT = 7000,
    SINK = 'u',   /* read and forget */
    SOURCE = 'd', /* send for ever */
    ECHO = 'e',   /* answer the first flight, and then every PING_BYTES, with PING_BYTES */
    FLIGHT_BYTES = sizeof HELLO + 1,
    PING_BYTES = 64,
    BLOCK_BYTES = 256 * 1024,
    EVENTS = 256,
    PATIENCE_S = 5, /* for whatever should come at once */
};

extern char block[BLOCK_BYTES]; /* what is sent, and where it is received */

/* One line on standard error, and the end of the program. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

void may_open_many(void); /* raises the limit of open files to what is allowed */
void watch(int epoll, int fd, uint32_t events, uint64_t tag);
int64_t now_ns(void);

/* --- the near end --- */

/* Non-blocking; the connection may not stand yet. */
int dial(const struct sockaddr_in *to);
/* The connection stands and the first flight is sent; the socket blocks, and gives up after PATIENCE_S. */
int dial_and_greet(const struct sockaddr_in *to, char command);
void set_nonblocking(int fd);

/* Processes whose CPU time is measured: user and system time of all their threads, as the kernel accounts it. */
struct processes {
    int count;
    pid_t ids[64];
};

double cpu_seconds(const struct processes *processes);
double first_thread_seconds(const struct processes *processes);

/* The measured part of a run. */
struct window {
    const struct processes *processes;
    int64_t from_ns;
    double cpu_before, first_thread_before;
};

struct window window_open(const struct processes *processes);
/* Prints {"seconds", "cpuSeconds", "firstThreadSeconds", "count"}: what was counted while the window was open. */
void window_close(const struct window *window, double count);

struct run {
    struct sockaddr_in to;
    int connections;
    int rate; /* a second; for keepalive */
    int warm_ms, measured_ms;
    struct processes processes;
};

void bulk(const struct run *run, char command);
void short_connections(const struct run *run);
void keepalive(const struct run *run);
void hold(const struct run *run, char command);

/*
 * The near end: `load MODE ADDRESS:PORT CONNECTIONS RATE WARM_MS MEASURED_MS [PID...]`. Without a RATE each connection asks
 * again when it has its answer, and what is printed is what window_close prints; with one, {"count", "p50Us", "p99Us"}.
 * MODE idle holds as many connections as standard input says, as ../idle.c does. Large bodies are compared byte for byte
 * before the measured time, and counted in it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "loop.h"

#define FIELDS "Host: " HOST "\r\nUser-Agent: bench/1\r\nAccept: */*\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" FIELDS
#define POST(target, length) \
    "POST " target " HTTP/1.1\r\n" FIELDS "Content-Type: text/plain\r\nContent-Length: " length "\r\n\r\n"
#define LARGE "1048576"

struct mode {
    const char *name, *head;
    size_t small, upload, answer; /* bytes of bodies: a small one is sent with the head */
    int closes;
    const char *checked_head; /* where the origin is asked to compare */
};

static const struct mode modes[] = {
    {"get", GET("/small") "\r\n", 0, 0, SMALL_BYTES, 0, NULL},
    {"post", POST("/small", "100"), SMALL_BYTES, 0, SMALL_BYTES, 0, NULL},
    {"close", GET("/small") "Connection: close\r\n\r\n", 0, 0, SMALL_BYTES, 1, NULL},
    {"down", GET("/large") "\r\n", 0, 0, LARGE_BYTES, 0, NULL},
    {"up", POST("/large", LARGE), 0, LARGE_BYTES, SMALL_BYTES, 0, POST("/large?checked", LARGE)},
    {"idle", GET("/small") "\r\n", 0, 0, SMALL_BYTES, 0, NULL},
};

static struct exchange exchange_of(const struct mode *mode, int checks)
{
    const char *head = checks && mode->checked_head ? mode->checked_head : mode->head;
    size_t bytes = strlen(head);
    char *request = malloc(bytes + mode->small);
    memcpy(request, head, bytes);
    memcpy(request + bytes, large, mode->small);
    return (struct exchange){request, bytes + mode->small, mode->upload, mode->answer, checks, mode->closes};
}

static int ascending(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void measure_rate(const struct run *run, const struct exchange *checked, const struct exchange *counted)
{
    ask_without_pause(checked, run->warm_ms * 1000000ll);
    struct window window = window_open(&run->processes);
    int64_t answers = ask_without_pause(counted, run->measured_ms * 1000000ll);
    if (answers == 0)
        die("no answer came in %d ms", run->measured_ms);
    window_close(&window, answers);
}

static void measure_latency(const struct run *run, const struct exchange *exchange)
{
    int warm = (int64_t)run->rate * run->warm_ms / 1000, count = (int64_t)run->rate * run->measured_ms / 1000;
    int64_t *latencies_ns = calloc(warm > count ? warm : count, sizeof *latencies_ns);
    prctl(PR_SET_TIMERSLACK, 1ul);
    ask_at_rate(exchange, warm, run->rate, latencies_ns);
    ask_at_rate(exchange, count, run->rate, latencies_ns);
    qsort(latencies_ns, count, sizeof *latencies_ns, ascending);
    printf("{\"count\": %d, \"p50Us\": %.2f, \"p99Us\": %.2f}\n", count, latencies_ns[count / 2] / 1e3,
           latencies_ns[(int64_t)count * 99 / 100] / 1e3);
}

static void hold_idle(const struct run *run, const struct exchange *exchange)
{
    int wanted;
    for (int held = 0; scanf("%d", &wanted) == 1; held = wanted) {
        ask_once_each(exchange, wanted - held, &run->to);
        printf("%d\n", wanted);
        fflush(stdout);
    }
}

static const struct mode *mode_named(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(name, modes[i].name) == 0)
            return &modes[i];
    die("%s is no mode: get, post, close, down, up or idle", name);
}

static struct sockaddr_in address_of(const char *text)
{
    char address[INET_ADDRSTRLEN];
    unsigned short port;
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (sscanf(text, "%15[0-9.]:%hu", address, &port) != 2 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
        die("%s is not an IPv4 address and a port", text);
    to.sin_port = htons(port);
    return to;
}

int main(int argc, char **argv)
{
    enum { MODE = 1, ADDRESS, CONNECTIONS, RATE, WARM, MEASURED, PIDS };
    if (argc < PIDS)
        die("expected MODE ADDRESS:PORT CONNECTIONS RATE WARM_MS MEASURED_MS [PID...]");
    const struct mode *mode = mode_named(argv[MODE]);
    struct run run = {
        .to = address_of(argv[ADDRESS]),
        .connections = atoi(argv[CONNECTIONS]),
        .rate = atoi(argv[RATE]),
        .warm_ms = atoi(argv[WARM]),
        .measured_ms = atoi(argv[MEASURED]),
    };
    for (int i = PIDS; i < argc && run.processes.count < 64; i++)
        run.processes.ids[run.processes.count++] = atoi(argv[i]);
    may_open_many();
    write_large();
    struct exchange checked = exchange_of(mode, 1), counted = exchange_of(mode, 0);
    if (strcmp(mode->name, "idle") == 0) {
        hold_idle(&run, &checked);
        return 0;
    }
    have_connections(run.connections, &run.to);
    if (run.rate > 0)
        measure_latency(&run, &checked);
    else
        measure_rate(&run, &checked, &counted);
    return 0;
}

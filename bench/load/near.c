/* Connections to the far end, and the window in which time, CPU time and events are counted. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static int open_socket(int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0), one = 1;
    if (fd < 0)
        die("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int dial(const struct sockaddr_in *to)
{
    int fd = open_socket(SOCK_NONBLOCK);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    return fd;
}

int dial_and_greet(const struct sockaddr_in *to, char command)
{
    char flight[FLIGHT_BYTES];
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = open_socket(0);
    memcpy(flight, HELLO, sizeof HELLO);
    flight[sizeof HELLO] = command;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); /* connect heeds it too: socket(7) */
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
        die("connect: %s", strerror(errno));
    if (send(fd, flight, sizeof flight, MSG_NOSIGNAL) != sizeof flight)
        die("the first flight: %s", strerror(errno));
    return fd;
}

void set_nonblocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* utime and stime of proc_pid_stat(5), which count the threads that have ended too. */
static double cpu_seconds_of(pid_t process)
{
    char path[64];
    unsigned long user, system;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "r");
    if (!file)
        die("process %d has ended", process);
    int read = fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(file);
    if (read != 2)
        die("cannot read %s", path);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

double cpu_seconds(const struct processes *processes)
{
    double sum = 0;
    for (int i = 0; i < processes->count; i++)
        sum += cpu_seconds_of(processes->ids[i]);
    return sum;
}

/* Nanoseconds on a core: the first field of schedstat (Documentation/scheduler/sched-stats.rst), of one thread. */
static double first_thread_seconds_of(pid_t process)
{
    char path[64];
    unsigned long long ns;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", process, process);
    FILE *file = fopen(path, "r");
    if (!file)
        die("process %d has ended", process);
    int read = fscanf(file, "%llu", &ns);
    fclose(file);
    if (read != 1)
        die("cannot read %s", path);
    return ns / 1e9;
}

double first_thread_seconds(const struct processes *processes)
{
    double sum = 0;
    for (int i = 0; i < processes->count; i++)
        sum += first_thread_seconds_of(processes->ids[i]);
    return sum;
}

struct window window_open(const struct processes *processes)
{
    return (struct window){processes, now_ns(), cpu_seconds(processes), first_thread_seconds(processes)};
}

void window_close(const struct window *window, double count)
{
    double seconds = (now_ns() - window->from_ns) / 1e9;
    printf("{\"seconds\": %.6f, \"cpuSeconds\": %.3f, \"firstThreadSeconds\": %.9f, \"count\": %.0f}\n", seconds,
           cpu_seconds(window->processes) - window->cpu_before,
           first_thread_seconds(window->processes) - window->first_thread_before, count);
}

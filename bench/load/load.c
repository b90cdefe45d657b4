/*
 * The near end: `load MODE ADDRESS CONNECTIONS RATE WARM_MS MEASURED_MS [PID…]`. Prints one line of JSON, or says in
 * one line why it could not. The processes' CPU time is read at both ends of the measured time.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

int main(int argc, char **argv)
{
    struct run run = {.to = {.sin_family = AF_INET, .sin_port = htons(PORT)}};
    enum { MODE = 1, ADDRESS, CONNECTIONS, RATE, WARM, MEASURED, PIDS };
    if (argc < PIDS)
        die("expected MODE ADDRESS CONNECTIONS RATE WARM_MS MEASURED_MS [PID...]");
    if (inet_pton(AF_INET, argv[ADDRESS], &run.to.sin_addr) != 1)
        die("%s is not an IPv4 address", argv[ADDRESS]);
    run.connections = atoi(argv[CONNECTIONS]);
    run.rate = atoi(argv[RATE]);
    run.warm_ms = atoi(argv[WARM]);
    run.measured_ms = atoi(argv[MEASURED]);
    for (int i = PIDS; i < argc && run.processes.count < 64; i++)
        run.processes.ids[run.processes.count++] = atoi(argv[i]);
    may_open_many();

    if (strcmp(argv[MODE], "down") == 0)
        bulk(&run, SOURCE);
    else if (strcmp(argv[MODE], "up") == 0)
        bulk(&run, SINK);
    else if (strcmp(argv[MODE], "short") == 0)
        short_connections(&run);
    else if (strcmp(argv[MODE], "keepalive") == 0)
        keepalive(&run);
    else if (strcmp(argv[MODE], "idle") == 0)
        hold(&run, ECHO);
    else if (strcmp(argv[MODE], "stall") == 0)
        hold(&run, SOURCE);
    else
        die("%s is no mode: down, up, short, keepalive, idle or stall", argv[MODE]);
    return 0;
}

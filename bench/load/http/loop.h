/* Many connections, each with one exchange after another. */
#pragma once

#include "exchange.h"

/* The connections of a run; each is dialled when it first has something to ask. */
void have_connections(int count, const struct sockaddr_in *to);

/* Each asks again as soon as it has its answer. Gives how many exchanges ended in this time. */
int64_t ask_without_pause(const struct exchange *exchange, int64_t for_ns);

/*
 * Asks `count` questions, so many a second, each on the connection that has been idle longest. A latency counts from when
 * the question was asked; from when it was due where no connection was free then (no coordinated omission).
 */
void ask_at_rate(const struct exchange *exchange, int count, int rate, int64_t *latencies_ns);

/* One exchange on each of so many more connections, which then stay. */
void ask_once_each(const struct exchange *exchange, int count, const struct sockaddr_in *to);

/* One exchange after another over one connection, from the near end. */
#pragma once

#include "http.h"

struct exchange {
    const char *request; /* with a small body, if it has one */
    size_t request_bytes;
    size_t upload; /* a large body that follows */
    size_t answer; /* bytes of the response's body */
    int checks;    /* compares that body instead of counting it */
    int closes;    /* a connection for each */
};

struct connection {
    int fd; /* -1: it is to be dialled */
    const struct exchange *exchange; /* NULL between two */
    size_t sent;
    char in[HEAD_BYTES];
    size_t got;
    int answered; /* the head is read */
    size_t body_got;
    int64_t asked_ns, idle_since_ns; /* the caller's */
};

/* Dials where there is no connection, and sends what can be sent at once. */
void begin(struct connection *connection, const struct exchange *exchange, const struct sockaddr_in *to, int epoll);
/* What an event is about; 1: the exchange is over. Whatever is not as it should be ends the program with a line that says so. */
int go_on(struct connection *connection);

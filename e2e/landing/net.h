/* Addresses as text, and lines on standard output: what both programs of the bed share. */
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static inline socklen_t address_size(const union address *a) {
  return a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
}

static inline union address address_of(const char *text, int port) {
  union address a = {0};
  if (strchr(text, ':')) {
    a.v6.sin6_family = AF_INET6;
    a.v6.sin6_port = htons((uint16_t)port);
    if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) != 1) exit(3);
  } else {
    a.v4.sin_family = AF_INET;
    a.v4.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, text, &a.v4.sin_addr) != 1) exit(3);
  }
  return a;
}

/* "ADDRESS PORT" */
static inline const char *address_text(const union address *a, char *out, size_t size) {
  char host[INET6_ADDRSTRLEN];
  if (a->any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof host);
    snprintf(out, size, "%s %d", host, ntohs(a->v4.sin_port));
  } else {
    inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof host);
    snprintf(out, size, "%s %d", host, ntohs(a->v6.sin6_port));
  }
  return out;
}

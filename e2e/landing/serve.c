/*
 * serve NAME: listeners that say who they are. Each line of standard input adds one, and is answered by "ok" or an error:
 *
 *   tcp ADDRESS PORT    tells whoever connects "NAME ADDRESS PORT", what they dialled, and closes
 *   udp ADDRESS PORT    answers each datagram with the same
 *   hold ADDRESS PORT   as tcp, but keeps the first connection open without a word
 *   forget              awaits its end, and drops it without a word (TCP_REPAIR)
 *   sink ADDRESS PORT   accepts and reads nothing before "drain"
 *   drain               reads what the sink has accepted to its end: "drained BYTES"
 *
 * What was dialled is read here and not by the addon that is under test: SO_ORIGINAL_DST
 * (linux/netfilter_ipv4.h, linux/netfilter_ipv6/ip6_tables.h: both 80), or where nothing was redirected, getsockname(2).
 */
#include "net.h"
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/time.h>

enum kind { TCP, UDP, HOLD, SINK };
static struct pollfd fds[128] = {{.fd = 0, .events = POLLIN}};
static enum kind kinds[128];
static int count = 1;
static int accepted = -1;
static const char *name;

static const char *listen_on(enum kind kind, const char *host, int port) {
  union address a = address_of(host, port);
  int fd = socket(a.any.sa_family, kind == UDP ? SOCK_DGRAM : SOCK_STREAM, 0), on = 1, small = 4096;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (kind == SINK) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (a.any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(fd, &a.any, address_size(&a)) != 0) return strerror(errno);
  if (kind != UDP && listen(fd, 128) != 0) return strerror(errno);
  kinds[count] = kind;
  fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
  return "ok";
}

static void dialled(int fd, union address *a) {
  socklen_t size = sizeof *a;
  if (getsockname(fd, &a->any, &size) != 0) exit(4);
  union address original;
  size = sizeof original;
  int level = a->any.sa_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  if (getsockopt(fd, level, 80, &original, &size) == 0) *a = original;
}

static void answer(int fd, enum kind kind) {
  char host[80], line[160];
  union address a, peer;
  socklen_t size = sizeof peer;
  if (kind == UDP) {
    if (recvfrom(fd, line, sizeof line, 0, &peer.any, &size) < 0) return;
    dialled(fd, &a);
    int n = snprintf(line, sizeof line, "%s %s\n", name, address_text(&a, host, sizeof host));
    sendto(fd, line, (size_t)n, 0, &peer.any, size);
    return;
  }
  int connection = accept(fd, NULL, NULL);
  if (connection < 0) return;
  if (kind != TCP && accepted < 0) {
    accepted = connection;
    return;
  }
  dialled(connection, &a);
  dprintf(connection, "%s %s\n", name, address_text(&a, host, sizeof host));
  close(connection);
}

static void drain(void) {
  char buffer[65536];
  long total = 0;
  ssize_t n;
  struct timeval patience = {.tv_sec = 2};
  setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  while ((n = read(accepted, buffer, sizeof buffer)) > 0) total += n;
  if (n < 0) printf("%s after %ld\n", strerror(errno), total);
  else printf("drained %ld\n", total);
}

static void forget(void) {
  int on = 1;
  char end;
  if (read(accepted, &end, 1) != 0) exit(5); /* asked for when the other end knows that we know */
  puts(setsockopt(accepted, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) || close(accepted) ? strerror(errno) : "ok");
}

static void command(char *line) {
  char word[16] = "", host[64] = "";
  int port = 0;
  sscanf(line, "%15s %63s %d", word, host, &port);
  if (strcmp(word, "drain") == 0) drain();
  else if (strcmp(word, "forget") == 0) forget();
  else {
    enum kind kind = strcmp(word, "udp") == 0    ? UDP
                     : strcmp(word, "hold") == 0 ? HOLD
                     : strcmp(word, "sink") == 0 ? SINK
                                                 : TCP;
    puts(listen_on(kind, host, port));
  }
  fflush(stdout);
}

int main(int argc, char **argv) {
  name = argc > 1 ? argv[1] : "?";
  for (;;) {
    if (poll(fds, (nfds_t)count, -1) < 0) return 1;
    for (int i = count - 1; i > 0; i--)
      if (fds[i].revents) answer(fds[i].fd, kinds[i]);
    if (fds[0].revents) {
      char line[256];
      size_t length = 0;
      while (length < sizeof line - 1 && read(0, line + length, 1) == 1 && line[length] != '\n') length++;
      if (length == 0) return 0;
      line[length] = 0;
      command(line);
    }
  }
}

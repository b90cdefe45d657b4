/*
 * dial: connections as any user. Each line of standard input makes one, and is answered by one line: what the other end
 * said of itself, or how it failed ("refused", "silent", …). PORT is where to, FROM the own port (0: any).
 *
 *   tcp ADDRESS PORT UID GID FROM      connects and reads
 *   udp ADDRESS PORT UID GID FROM      sends a datagram and waits for the answer
 *   echo ADDRESS 0 UID GID 0           an ICMP echo request: "echoed"
 *   tail ADDRESS PORT UID GID BYTES    fills the send buffer and exits: "left BYTES", which nobody owns from then on
 *   leave ADDRESS PORT UID GID FROM    connects and closes; forgotten a second later, though the other end stays open
 *   late ADDRESS PORT UID GID MS       connects, and sends a byte when so many milliseconds are over
 *   lo ADDRESS PORT UID GID 0          tcp, on a socket bound to the loopback interface
 */
#include "net.h"
#include <fcntl.h>
#include <grp.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/wait.h>

#define PATIENCE_MS 1500

static const char *failure(int error) {
  switch (error) {
  case EPERM: /* what sendmsg(2) gives for a packet that iptables rejects, where the ICMP error is not quicker */
  case EACCES:
  case ECONNREFUSED: return "refused";
  case ECONNRESET: return "reset";
  case ETIMEDOUT: return "silent";
  case EHOSTUNREACH:
  case ENETUNREACH: return "unreachable";
  default: return strerror(error);
  }
}

static void quit(const char *line) {
  puts(line);
  exit(0);
}

static void become(uid_t uid, gid_t gid) {
  if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) quit(strerror(errno));
}

static void await(int fd, short event) {
  struct pollfd p = {.fd = fd, .events = event};
  if (poll(&p, 1, PATIENCE_MS) == 0) quit("silent");
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) quit(failure(error));
}

static int connected(const char *kind, const union address *to, int from) {
  int type = strcmp(kind, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, on = 1;
  int fd = socket(to->any.sa_family, type | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (strcmp(kind, "lo") == 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)) quit("cannot bind to lo");
  if (from) {
    union address own = {0};
    own.any.sa_family = to->any.sa_family;
    own.v4.sin_port = htons((uint16_t)from); /* v6 keeps it in the same place */
    if (bind(fd, &own.any, address_size(&own))) quit(failure(errno));
  }
  if (connect(fd, &to->any, address_size(to)) && errno != EINPROGRESS) quit(failure(errno));
  if (type == SOCK_STREAM) await(fd, POLLOUT);
  return fd;
}

static void hear(int fd) {
  char line[256];
  await(fd, POLLIN);
  ssize_t n = read(fd, line, sizeof line - 1);
  if (n < 0) quit(failure(errno));
  line[n] = 0;
  line[strcspn(line, "\n")] = 0;
  quit(n == 0 ? "nothing said" : line);
}

static void echo(const union address *to) {
  int v4 = to->any.sa_family == AF_INET;
  int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, v4 ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
  char packet[16] = {(char)(v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST)};
  if (fd < 0) quit("no ping socket");
  if (connect(fd, &to->any, address_size(to)) || send(fd, packet, sizeof packet, 0) < 0) quit(failure(errno));
  await(fd, POLLIN);
  quit(read(fd, packet, sizeof packet) > 0 ? "echoed" : failure(errno));
}

static void leave_tail(int fd, long wanted) {
  char block[4096] = {0};
  int size = (int)wanted;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  long left = 0;
  for (ssize_t n; (n = write(fd, block, sizeof block)) > 0;) left += n;
  printf("left %ld\n", left);
  exit(0);
}

static void dial(const char *kind, const union address *to, long number) {
  if (strcmp(kind, "echo") == 0) echo(to);
  int counts = strcmp(kind, "tail") == 0 || strcmp(kind, "late") == 0;
  int fd = connected(kind, to, counts ? 0 : (int)number);
  if (strcmp(kind, "tail") == 0) leave_tail(fd, number);
  if (strcmp(kind, "late") == 0) usleep((useconds_t)number * 1000);
  if (strcmp(kind, "leave") == 0) {
    int seconds = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof seconds);
    shutdown(fd, SHUT_WR);
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    while (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state != TCP_FIN_WAIT2)
      usleep(1000);
    close(fd);
    quit("left");
  }
  if ((strcmp(kind, "udp") == 0 || strcmp(kind, "late") == 0) && send(fd, "?", 1, 0) < 0) quit(failure(errno));
  hear(fd);
}

int main(void) {
  char line[256], kind[16], host[64];
  int port;
  unsigned uid, gid;
  long number;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%15s %63s %d %u %u %ld", kind, host, &port, &uid, &gid, &number) != 6) return 2;
    if (fork() == 0) {
      union address to = address_of(host, port);
      become(uid, gid);
      dial(kind, &to, number);
    }
    wait(NULL);
  }
  return 0;
}

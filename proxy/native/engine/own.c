/*
 * The sockets with which this process connects, of all its engines, by both their ends. Where the redirect does not
 * spare the sidecar, what it dials comes back to a listener of its own; there it is known by this table. Both ends have
 * to be the same: an app's socket may well have the local port of one of ours, to another destination. And even that is
 * no proof: where two redirected connections would look alike, conntrack gives one of them another source port
 * (nf_nat_core.c, get_unique_tuple), which may be that of a socket of ours to the same destination. So ours say SYN with a
 * hop less than usual, and the SYN is kept (TCP_SAVE_SYN) to be asked.
 */
#include "engine.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

enum { BUCKETS = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct attempt *buckets[BUCKETS];

static uint16_t port_of(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port);
}

bool address_equal(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family || port_of(a) != port_of(b))
		return false;
	if (a->any.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr);
}

/* By the local port alone: that is what differs between our connections. */
static struct attempt **bucket_of(const union address *source)
{
	return &buckets[port_of(source) % BUCKETS];
}

/*
 * Connects and enters it, in one with respect to own_has: on loopback the kernel may have shaken hands before connect
 * returns, and another engine's thread accepted what is not yet in the table; that thread waits here until it is. The
 * local port cannot be known earlier without a bind.
 */
int own_connect(struct attempt *attempt, const union address *to)
{
	socklen_t length = to->any.sa_family == AF_INET6 ? sizeof to->in6 : sizeof to->in;
	struct attempt **bucket;
	int error = 0;

	pthread_mutex_lock(&lock);
	if (connect(attempt->end.fd, &to->any, length) < 0 && errno != EINPROGRESS)
		error = errno;
	length = sizeof attempt->own_source;
	if (!error && getsockname(attempt->end.fd, &attempt->own_source.any, &length) < 0)
		error = errno;
	if (!error) {
		bucket = bucket_of(&attempt->own_source);
		attempt->own_destination = *to;
		attempt->is_own = true;
		attempt->next_own = *bucket;
		*bucket = attempt;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

void own_remove(struct attempt *attempt)
{
	struct attempt **at;

	if (!attempt->is_own)
		return;
	attempt->is_own = false;
	pthread_mutex_lock(&lock);
	for (at = bucket_of(&attempt->own_source); *at != attempt; at = &(*at)->next_own)
		;
	*at = attempt->next_own;
	pthread_mutex_unlock(&lock);
}

/* The hop limit of the SYN that opened an accepted socket; OWN_HOPS where it was not kept. */
static uint8_t hops_of(int fd)
{
	enum { TTL = 8, HOP_LIMIT = 7, IP_HEADER = 20 }; /* RFC 791 §3.1, RFC 8200 §3 */
	uint8_t syn[256];
	socklen_t length = sizeof syn;

	if (getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &length) < 0 || length < IP_HEADER)
		return OWN_HOPS;
	return syn[syn[0] >> 4 == 6 ? HOP_LIMIT : TTL];
}

bool own_has(int fd, const union address *source, const union address *destination)
{
	struct attempt *attempt;

	pthread_mutex_lock(&lock);
	for (attempt = *bucket_of(source); attempt; attempt = attempt->next_own)
		if (address_equal(&attempt->own_source, source) &&
		    address_equal(&attempt->own_destination, destination))
			break;
	pthread_mutex_unlock(&lock);
	return attempt && hops_of(fd) == OWN_HOPS;
}

/*
 * The connections that this process has opened, of all its engines, by both their ends. Where the redirect does not spare
 * the sidecar, what it dials comes back to a listener of its own; there it is known by this table. Both ends have to be
 * the same: an app's socket may well have the local port of one of ours, to another destination.
 */
#include "engine.h"

#include <string.h>

enum { BUCKETS = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct connection *buckets[BUCKETS];

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
static struct connection **bucket_of(const union address *source)
{
	return &buckets[port_of(source) % BUCKETS];
}

void own_add(struct connection *connection, const union address *destination)
{
	socklen_t length = sizeof connection->own_source;
	struct connection **bucket;

	if (getsockname(connection->upstream.fd, &connection->own_source.any, &length) < 0)
		return;
	connection->own_destination = *destination;
	bucket = bucket_of(&connection->own_source);
	pthread_mutex_lock(&lock);
	connection->is_own = true;
	connection->next_own = *bucket;
	*bucket = connection;
	pthread_mutex_unlock(&lock);
}

void own_remove(struct connection *connection)
{
	struct connection **at;

	if (!connection->is_own)
		return;
	connection->is_own = false;
	pthread_mutex_lock(&lock);
	for (at = bucket_of(&connection->own_source); *at != connection; at = &(*at)->next_own)
		;
	*at = connection->next_own;
	pthread_mutex_unlock(&lock);
}

bool own_has(const union address *source, const union address *destination)
{
	struct connection *connection;

	pthread_mutex_lock(&lock);
	for (connection = *bucket_of(source); connection; connection = connection->next_own)
		if (address_equal(&connection->own_source, source) &&
		    address_equal(&connection->own_destination, destination))
			break;
	pthread_mutex_unlock(&lock);
	return connection != NULL;
}

/*
 * Where a redirected connection was going before iptables REDIRECT rewrote it.
 *
 * conntrack keeps the original tuple and answers getsockopt with it: SO_ORIGINAL_DST at SOL_IP
 * (net/netfilter/nf_conntrack_proto.c, getorigdst) and, with the same number, IP6T_SO_ORIGINAL_DST at SOL_IPV6
 * (ipv6_getorigdst). The numbers are repeated here because <linux/netfilter_ipv4.h> and <netinet/in.h> do not mix.
 *
 * originalDestination(fd: number): { address: string, port: number } | errno: number
 *
 * The descriptor stays the caller's; nothing is kept. TypeScript names the errors (original-destination.ts).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <node_api.h>

enum { ORIGINAL_DST = 80 };

/* 0, or the errno of the call that failed. `out` is an AF_INET or AF_INET6 address. */
static int original_destination(int fd, struct sockaddr_storage *out)
{
	struct sockaddr_storage local = {0};
	socklen_t length = sizeof local;
	bool ipv6;

	if (getsockname(fd, (struct sockaddr *)&local, &length) < 0)
		return errno;
	/* An IPv4 connection on a dual-stack socket is tracked as IPv4. */
	ipv6 = local.ss_family == AF_INET6 &&
	       !IN6_IS_ADDR_V4MAPPED(&((struct sockaddr_in6 *)&local)->sin6_addr);
	length = ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (getsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ORIGINAL_DST, out, &length) < 0)
		return errno;
	return 0;
}

static napi_value endpoint(napi_env env, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
	bool ipv6 = from->ss_family == AF_INET6;
	char text[INET6_ADDRSTRLEN];
	napi_value result, address, port;

	inet_ntop(from->ss_family, ipv6 ? (const void *)&in6->sin6_addr : &in4->sin_addr, text, sizeof text);
	if (napi_create_object(env, &result) != napi_ok ||
	    napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &address) != napi_ok ||
	    napi_create_uint32(env, ntohs(ipv6 ? in6->sin6_port : in4->sin_port), &port) != napi_ok ||
	    napi_set_named_property(env, result, "address", address) != napi_ok ||
	    napi_set_named_property(env, result, "port", port) != napi_ok)
		return NULL;
	return result;
}

static napi_value call(napi_env env, napi_callback_info info)
{
	struct sockaddr_storage destination = {0};
	napi_value argument, result = NULL;
	size_t count = 1;
	int32_t fd;
	int error;

	if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count < 1 ||
	    napi_get_value_int32(env, argument, &fd) != napi_ok) {
		napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "originalDestination(fd): fd is not a number");
		return NULL;
	}
	error = original_destination(fd, &destination);
	if (!error)
		return endpoint(env, &destination);
	napi_create_int32(env, error, &result);
	return result;
}

NAPI_MODULE_INIT()
{
	napi_value function;

	if (napi_create_function(env, "originalDestination", NAPI_AUTO_LENGTH, call, NULL, &function) != napi_ok ||
	    napi_set_named_property(env, exports, "originalDestination", function) != napi_ok)
		return NULL;
	return exports;
}

#ifndef SALLYPORT_SOCKETS_H
#define SALLYPORT_SOCKETS_H

#include <node_api.h>

napi_value sockets_open(napi_env env, napi_callback_info info);

#endif

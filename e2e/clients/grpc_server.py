"""A gRPC server with one unary and one streaming method: CERTIFICATE-FILE KEY-FILE PORT; says "ready"."""
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

certificate, key, port = sys.argv[1:]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def count(request, context):
    for number in range(int(request)):
        yield str(number).encode()


server = grpc.server(ThreadPoolExecutor(4))
server.add_generic_rpc_handlers(
    [
        grpc.method_handlers_generic_handler(
            "test.Greeter",
            {
                "Greet": grpc.unary_unary_rpc_method_handler(lambda name, _: b"hello " + name),
                "Count": grpc.unary_stream_rpc_method_handler(count),
            },
        )
    ]
)
credentials = grpc.ssl_server_credentials([(read(key), read(certificate))])
server.add_secure_port(f"[::]:{port}", credentials)
server.start()
print("ready", flush=True)
threading.Event().wait()

"""Calls grpc_server.py: TARGET CA-FILE."""
import sys

import grpc

target, authority = sys.argv[1:]
with open(authority, "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
with grpc.secure_channel(target, credentials) as channel:
    greeting = channel.unary_unary("/test.Greeter/Greet")(b"you", timeout=10)
    counted = list(channel.unary_stream("/test.Greeter/Count")(b"1000", timeout=10))
    print(greeting.decode(), len(counted))

"""Requests by Python's requests and http.client over kept connections: HOST."""
import http.client
import sys

import requests

host = sys.argv[1]
with requests.Session() as session:
    print(session.get(f"http://{host}/one").text.strip())
    print(session.post(f"http://{host}/hash", data=b"abc").text.strip())
    print(session.post(f"http://{host}/hash", data=(piece for piece in [b"a", b"bc"])).text.strip())
    print(len(session.get(f"http://{host}/bytes?count=300000&unsized", stream=True).content))

connection = http.client.HTTPConnection(host)
for method in ["HEAD", "GET"]:
    connection.request(method, "/two")
    response = connection.getresponse()
    print(response.status, response.read().decode().strip())

"""Python's websockets: HOST. Echoes, pings while nothing is said, and closes."""
import asyncio
import sys

import websockets


async def main(host):
    async with websockets.connect(f"ws://{host}/echo", max_size=None) as socket:
        for message in ["text", b"\x07" * 1_000_000]:
            await socket.send(message)
            print(len(await socket.recv()))
        for _ in range(3):
            await asyncio.sleep(0.3)
            await (await socket.ping())
            print("pong")
    print(socket.close_code)


asyncio.run(main(sys.argv[1]))

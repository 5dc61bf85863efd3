"""Echoes through Python's websockets: plain, TLS and unix.  Prints "ok" for each."""

import asyncio
import ssl
import sys

from websockets.asyncio.client import connect, unix_connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError


async def exercise(open_socket):
    async with open_socket(subprotocols=["chat", "other"]) as ws:
        assert ws.subprotocol == "chat", ws.subprotocol
        # permessage-deflate is offered by default, and not taken.
        assert ws.protocol.extensions == [], ws.protocol.extensions

        for message in ("hello", "", "Grüße, 世界 😀", b"", bytes(range(256)) * 300, "x" * 2**20):
            await ws.send(message)
            echo = await ws.recv()
            assert echo == message and type(echo) is type(message), message[:20]

        # An iterable is sent in fragments.
        await ws.send(["frag", "men", "ts"])
        assert await ws.recv() == "fragments"

        latency = await (await ws.ping(b"payload"))
        assert latency < 5

        # Many in flight at once.
        async def send():
            for i in range(1000):
                await ws.send(f"message {i}")

        task = asyncio.create_task(send())
        for i in range(1000):
            assert await ws.recv() == f"message {i}"
        await task

        await ws.close(4000, "done")
        assert (ws.close_code, ws.close_reason) == (4000, ""), (ws.close_code, ws.close_reason)

    # Not `async with`: asyncio 3.11 fails to abort a transport that has closed by itself.
    ws = await open_socket()
    await ws.send(b"x" * (2**22 + 1))
    try:
        await ws.recv()
        raise AssertionError("an oversized message came back")
    except ConnectionClosedError as e:
        assert e.rcvd.code == 1009, e

    # A hundred sockets at the same time.
    sockets = await asyncio.gather(*(open_socket() for _ in range(100)))
    for i, ws in enumerate(sockets):
        await ws.send(str(i))
    assert [await ws.recv() for ws in sockets] == [str(i) for i in range(100)]
    await asyncio.gather(*(ws.close() for ws in sockets))
    for ws in sockets:
        try:
            await ws.recv()
        except ConnectionClosed as e:
            assert e.rcvd.code == 1000, e


async def main(port, tls_port, path):
    insecure = ssl._create_unverified_context()
    limits = {"max_size": 2**23}
    plain = lambda **o: connect(f"ws://127.0.0.1:{port}/ws", **limits, **o)
    secure = lambda **o: connect(f"wss://127.0.0.1:{tls_port}/ws", ssl=insecure, **limits, **o)
    local = lambda **o: unix_connect(path, "ws://localhost/ws", **limits, **o)

    for open_socket in (plain, secure, local):
        await asyncio.wait_for(exercise(open_socket), 30)
        print("ok")


asyncio.run(main(*sys.argv[1:]))

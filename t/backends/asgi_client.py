"""Clients of asgi.py, through nginx: Python's websockets.

Prints a line for each thing that went as it should.

Usage: asgi_client.py URL   such as ws://127.0.0.1:8080
"""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

url = sys.argv[1]
# Channels lets nobody in who does not say where he comes from.
options = {"origin": "http://localhost"}
if url.startswith("wss:"):
    options["ssl"] = ssl.create_default_context()
    options["ssl"].check_hostname = False
    options["ssl"].verify_mode = ssl.CERT_NONE


async def echo():
    async with connect(f"{url}/ws/echo/", max_size=None, **options) as ws:
        bytes_ = bytes(range(256)) * 1000
        for message in ["hello", "Grüße, 世界 😀", "x" * 2**20, b"\x00\xff", bytes_]:
            await ws.send(message)
            assert await ws.recv() == message
        await ws.ping()
        print("text, binary")

        await ws.send("close 4321")
        try:
            await ws.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd.code == 4321, closed
        print("close code")


async def scope():
    async with connect(f"{url}/ws/scope/?a=b", subprotocols=["one", "two"],
                       additional_headers={"X-Forwarded-Proto": "gopher"}, **options) as ws:
        assert ws.subprotocol == "one"
        headers = json.loads(await ws.recv())["headers"]
        assert headers["host"] == url.split("/")[2], headers
        assert headers["x-forwarded-proto"] == url.split(":")[0].replace("ws", "http"), headers
        assert headers["x-real-ip"] == "127.0.0.1", headers
        print("scope")


async def room():
    one = await connect(f"{url}/ws/room/blue/", **options)
    two = await connect(f"{url}/ws/room/blue/", **options)
    other = await connect(f"{url}/ws/room/red/", **options)
    for sender, text in ((one, "from one"), (two, "from two")):
        await sender.send(text)
        assert [await one.recv(), await two.recv()] == [text, text]
    await other.send("alone")
    assert await other.recv() == "alone"
    for ws in (one, two, other):
        await ws.close()
    print("groups")


async def origin():
    for name, status in (("https://127.0.0.1:8888", None), ("https://evil.example", 403),
                         (None, 403)):
        try:
            async with connect(f"{url}/ws/echo/", **{**options, "origin": name}) as ws:
                await ws.send(name)
                assert await ws.recv() == name
                assert status is None
        except InvalidStatus as error:
            assert error.response.status_code == status, error
    print("origin")


async def main():
    # One after the other: nginx counts handshakes and sockets.
    for step in (echo, scope, room, origin):
        await step()


asyncio.run(asyncio.wait_for(main(), 30))

"""Calls through ws_rest with Python's websockets: plain, TLS and compressed.  Prints "ok"."""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.client import connect


class Api:
    """What an application would write: calls that wait for the reply with their id."""

    def __init__(self, ws):
        self.ws = ws
        self.waiting = {}
        self.task = asyncio.create_task(self.receive())

    async def receive(self):
        async for message in self.ws:
            reply = json.loads(message)
            self.waiting.pop(reply["id"]).set_result(reply)

    async def call(self, path, method="GET", **members):
        id = f"call {len(self.waiting)} {path}"
        self.waiting[id] = future = asyncio.get_running_loop().create_future()
        await self.ws.send(json.dumps({"id": id, "path": path, "method": method, **members}))
        return await future


async def exercise(open_socket):
    async with open_socket() as ws:
        api = Api(ws)
        assert (await api.call("/api/?body=hello"))["body"] == "hello"
        reply = await api.call("/api/x", "POST", body={"Grüße": ["世界", 1.5]})
        assert reply["status"] == 200 and reply["headers"]["content-type"] == "application/json"
        assert json.loads(reply["body"]["body"]) == {"Grüße": ["世界", 1.5]}
        assert (await api.call("/else"))["error"] == "not_found"

        # A hundred at the same time, in any order.
        replies = await asyncio.gather(
            *(api.call(f"/api/?body={i}&delay={i % 7 * 10}") for i in range(100))
        )
        assert [reply["body"] for reply in replies] == [str(i) for i in range(100)]

        # Large, both ways.
        reply = await api.call("/api/?size=1000000")
        assert len(reply["body"]) == 1_000_000
        reply = await api.call("/api/", "PUT", body="x" * 900_000, encoding="text")
        assert reply["body"]["length"] == 900_000

        await ws.close()
        assert ws.close_code == 1000, ws.close_code
        await api.task


async def main(port, tls_port):
    insecure = ssl._create_unverified_context()
    plain = lambda **o: connect(f"ws://127.0.0.1:{port}/ws", max_size=2**22, **o)
    for open_socket in (
        plain,
        lambda: plain(compression=None),
        lambda: connect(f"wss://127.0.0.1:{tls_port}/ws", ssl=insecure, max_size=2**22),
    ):
        await asyncio.wait_for(exercise(open_socket), 30)
        print("ok")


asyncio.run(main(*sys.argv[1:]))

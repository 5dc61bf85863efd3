"""Echoes with permessage-deflate through Python's websockets; prints what was agreed."""

import asyncio
import os
import sys

from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

MESSAGES = ["", "hello", "a" * 100000, b"\0" * 300000, os.urandom(200000)]
MESSAGES += ['{"n":%d,"text":"lorem ipsum dolor sit amet"}' % n * 40 for n in range(50)]


async def main(port, path):
    for offer in (
        {"client_max_window_bits": True},
        {"server_max_window_bits": 10, "client_max_window_bits": 10},
        {"server_no_context_takeover": True, "client_no_context_takeover": True},
    ):
        factory = ClientPerMessageDeflateFactory(**offer)
        async with connect(
            f"ws://127.0.0.1:{port}{path}", extensions=[factory], compression=None, max_size=None
        ) as ws:
            for message in MESSAGES:
                await ws.send(message)
            for message in MESSAGES:
                assert await asyncio.wait_for(ws.recv(), 10) == message
            print(ws.response.headers.get("Sec-WebSocket-Extensions"))


asyncio.run(main(*sys.argv[1:]))

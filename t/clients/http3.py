"""One GET over HTTP/3 with the headers given as name=value; prints the answer."""

import asyncio
import ssl
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.done = asyncio.get_running_loop().create_future()

    def quic_event_received(self, event):
        for event in self.http.handle_event(event):
            if isinstance(event, HeadersReceived):
                for name, value in event.headers:
                    print(f"{name.decode()}: {value.decode()}")
            elif isinstance(event, DataReceived):
                print(event.data.decode(), end="")
            if event.stream_ended:
                self.done.set_result(None)


async def main(port, path, *headers):
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE)
    async with connect(
        "127.0.0.1", int(port), configuration=configuration, create_protocol=Client
    ) as client:
        stream = client._quic.get_next_available_stream_id()
        request = {":method": "GET", ":scheme": "https", ":authority": "localhost", ":path": path}
        request |= dict(header.split("=", 1) for header in headers)
        fields = [(name.encode(), value.encode()) for name, value in request.items()]
        client.http.send_headers(stream, fields, end_stream=True)
        client.transmit()
        await asyncio.wait_for(client.done, 10)


asyncio.run(main(*sys.argv[1:]))

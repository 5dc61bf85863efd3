"""An HTTP/1.1 server that answers as the query says, and writes down what happens.

Usage: rest.py PORT|unix:PATH RECORD

Arguments of the query; without any, the answer is the request as JSON.

    status=N        instead of 200
    delay=MS        before the answer
    type=TYPE       Content-Type
    header=N:V      one more header, repeatable
    body=TEXT       the body, escaped as queries are
    base64=DATA     the body
    size=N          a body of N bytes, 0123456789...
    framing=WAY     length (default), chunked, close (ends with the connection) or none
    cut=N           ends the connection after N bytes of the body
    pause=MS        between the first half of the body and the second
    interim=N       responses of that status before the answer, repeatable; 101 is followed by nothing
    fault=KIND      instead of an answer: drop, garbage, hang, half (of a header)

RECORD gets a line for each event: "request NUMBER CONNECTION METHOD TARGET", "answered
NUMBER", "aborted NUMBER" (the peer went away before the answer was out).
"""

import asyncio
import base64
import itertools
import json
import sys
from urllib.parse import parse_qs, unquote, urlsplit

numbers = itertools.count(1)
connections = itertools.count(1)


async def read_body(reader, headers):
    if "chunked" in headers.get("transfer-encoding", ""):
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body
    return await reader.readexactly(int(headers.get("content-length", 0)))


def describe(method, target, pairs, body):
    try:
        text = {"body": body.decode()}
    except UnicodeDecodeError:
        text = {"base64": base64.b64encode(body).decode()}
    # A large body is told of, not returned.
    if len(body) > 10_000:
        text = {"start": body[:20].decode("latin-1"), "end": body[-20:].decode("latin-1")}
    return json.dumps({"method": method, "target": target, "headers": pairs,
                       "length": len(body), **text}).encode()


class Peer:
    """One connection of nginx."""

    def __init__(self, reader, writer, record):
        self.reader, self.writer, self.record = reader, writer, record
        self.number = next(connections)

    async def serve(self):
        try:
            while await self.exchange():
                pass
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        self.writer.close()

    async def gone(self, seconds):
        """Waits, and tells whether the peer has left meanwhile."""
        try:
            await asyncio.wait_for(self.reader.readexactly(1), seconds)
        except asyncio.TimeoutError:
            return False
        except (asyncio.IncompleteReadError, ConnectionError):
            return True
        raise ValueError("pipelined request")

    async def exchange(self):
        line = (await self.reader.readline()).decode("latin-1").rstrip("\r\n")
        if not line:
            return False
        method, target, _ = line.split(" ")
        pairs = []
        while header := (await self.reader.readline()).decode("latin-1").rstrip("\r\n"):
            pairs.append(header.split(": ", 1) if ": " in header else [header.rstrip(":"), ""])
        headers = {name.lower(): value for name, value in pairs}
        body = await read_body(self.reader, headers)

        number = next(numbers)
        self.record(f"request {number} {self.number} {method} {target}")
        try:
            more = await self.answer(method, target, pairs, body)
        except ConnectionError:
            more = None
        self.record(f"{'aborted' if more is None else 'answered'} {number}")
        return more

    async def answer(self, method, target, pairs, body):
        query = parse_qs(urlsplit(target).query, keep_blank_values=True)
        first = lambda name, default=None: query.get(name, [default])[0]

        if await self.gone(int(first("delay", 0)) / 1000):
            return None
        match first("fault"):
            case "drop":
                return False
            case "garbage":
                self.writer.write(b"\x00\xff this is no HTTP\r\n\r\n")
                return False
            case "half":
                self.writer.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
                return False
            case "hang":
                return None if await self.gone(3600) else False

        for interim in query.get("interim", []):
            upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n" if interim == "101" else ""
            self.writer.write(f"HTTP/1.1 {interim} Interim\r\nX-Early: hint\r\n{upgrade}\r\n".encode())
            if interim == "101":
                return None if await self.gone(3600) else False

        status = int(first("status", 200))
        kind = first("type", "text/plain")
        if "body" in query:
            content = first("body").encode()
        elif "base64" in query:
            content = base64.b64decode(first("base64"))
        elif "size" in query:
            size = int(first("size"))
            content = (b"0123456789" * (size // 10 + 1))[:size]
        elif status in (204, 304):
            content = b""
        else:
            kind = first("type", "application/json")
            content = describe(method, target, pairs, body)

        framing = first("framing", "none" if status in (204, 304) else "length")
        head = [f"HTTP/1.1 {status} Status"]
        if framing != "none" or "type" in query:
            head.append(f"Content-Type: {kind}")
        head += [unquote(header).replace(":", ": ", 1) for header in query.get("header", [])]
        if framing == "length":
            head.append(f"Content-Length: {len(content)}")
        elif framing == "chunked":
            head.append("Transfer-Encoding: chunked")
        elif framing == "close":
            head.append("Connection: close")
        self.writer.write("\r\n".join([*head, "", ""]).encode())

        if method == "HEAD" or framing == "none":
            content = b""
        cut = int(first("cut", len(content)))
        # In two parts, so that no reader can count on one.
        half = cut // 2
        for i, part in enumerate((content[:half], content[half:cut])):
            if i == 1 and "pause" in query:
                await self.writer.drain()
                if await self.gone(int(first("pause")) / 1000):
                    return None
            if part and framing == "chunked":
                part = b"%x\r\n%b\r\n" % (len(part), part)
            self.writer.write(part)
        if framing == "chunked" and cut == len(content):
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
        return framing != "close" and cut == len(content)


async def main(address, path):
    with open(path, "a", buffering=1) as file:
        async def serve(reader, writer):
            await Peer(reader, writer, lambda line: file.write(line + "\n")).serve()

        options = {"limit": 1 << 26}
        if address.startswith("unix:"):
            server = await asyncio.start_unix_server(serve, address[5:], **options)
        else:
            server = await asyncio.start_server(serve, "127.0.0.1", int(address), backlog=1024,
                                                **options)
        file.write("listening\n")
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))

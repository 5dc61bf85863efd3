"""A FastCGI responder: answers with its parameters and standard input as JSON.

Usage: fastcgi.py PORT RECORD
"""

import json
import socketserver
import struct
import sys

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT = 1, 2, 3, 4, 5, 6


def pairs(data):
    """Names and values, each with a length of one byte, or of four with the top bit set."""
    position = 0

    def length():
        nonlocal position
        if data[position] < 0x80:
            position += 1
            return data[position - 1]
        position += 4
        return struct.unpack("!I", data[position - 4 : position])[0] & 0x7FFFFFFF

    while position < len(data):
        name, value = length(), length()
        yield (data[position : position + name].decode(),
               data[position + name : position + name + value].decode("latin-1"))
        position += name + value


class Responder(socketserver.StreamRequestHandler):
    def handle(self):
        content = {PARAMS: b"", STDIN: b""}
        while head := self.rfile.read(8):
            _, kind, request, size, padding = struct.unpack("!BBHHBx", head)
            data = self.rfile.read(size + padding)[:size]
            if kind in content:
                content[kind] += data
            if kind == STDIN and not data:
                self.answer(request, dict(pairs(content[PARAMS])), content[STDIN])
                return

    def answer(self, request, params, body):
        answer = json.dumps({**params, "body": body.decode(), "length": len(body)})
        self.record(request, STDOUT, b"Status: 201 Created\r\nContent-Type: application/json\r\n\r\n")
        for i in range(0, len(answer), 60_000):
            self.record(request, STDOUT, answer[i : i + 60_000].encode())
        self.record(request, STDOUT, b"")
        self.record(request, END, bytes(8))

    def record(self, request, kind, data):
        self.wfile.write(struct.pack("!BBHHBx", 1, kind, request, len(data), 0) + data)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", int(sys.argv[1])), Responder)
with open(sys.argv[2], "w") as record:
    record.write("listening\n")
server.serve_forever()

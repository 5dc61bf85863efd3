"""What a server may not do and Autobahn's own client notices, but kosoku lets pass.

kosoku looks at no header of the handshake, at no mask, reserved bit or order of
frames, stops at the first Close, and takes a dropped connection for a close.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
RSV1 = 4


def violations(result) -> Iterator[str]:
    """Breaches of RFC 6455 on the connection of a case."""
    if not result.http_response:
        return  # there is no connection, which the case itself reports
    yield from _handshake(result.http_request, result.http_response)
    yield from _frames(result)


def omissions(result) -> Iterator[str]:
    """What RFC 6455 only recommends, and a strict server does."""
    # RFC 6455 §7.1.7: a Close frame before the connection is dropped.
    if (
        result.http_response
        and not result.closed_by_me
        and result.remote_close_code is None
    ):
        yield "dropped the connection without a close code"


def _headers(head: str) -> tuple[str, dict[str, list[str]]]:
    first, *lines = head.split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), []).append(value.strip())
    return first, headers


def _handshake(request: str, response: str) -> Iterator[str]:
    _, asked = _headers(request)
    status, got = _headers(response)

    key = asked["sec-websocket-key"][0] + GUID
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    connection = ",".join(got.get("connection", [])).lower().split(",")

    if not status.startswith("HTTP/1.1 101"):
        yield f"status line {status!r}"
    if [v.lower() for v in got.get("upgrade", [])] != ["websocket"]:
        yield f"Upgrade is {got.get('upgrade')}"
    if "upgrade" not in [token.strip() for token in connection]:
        yield f"Connection is {got.get('connection')}"
    if got.get("sec-websocket-accept") != [accept]:
        yield f"Sec-WebSocket-Accept is {got.get('sec-websocket-accept')}, not {accept}"
    for name in ("sec-websocket-protocol", "sec-websocket-extensions"):
        if name in got and name not in asked:
            yield f"{name} {got[name]} was not asked for"


def _frames(result) -> Iterator[str]:
    """The rules of RFC 6455 §5 for what a server sends."""
    deflate = "sec-websocket-extensions" in _headers(result.http_response)[1]
    in_message = False

    for entry in result.wirelog:
        if entry[0] != "RF":
            continue
        _, (length, _), opcode, fin, rsv, masked, _ = entry
        what = f"frame {opcode:#x} of {length} bytes"

        if masked:
            yield f"{what} is masked"
        if rsv and not (deflate and rsv == RSV1 and opcode in (TEXT, BINARY)):
            yield f"{what} has RSV {rsv:03b}"
        if opcode in (CLOSE, PING, PONG):
            if length > 125:
                yield f"{what} is too long for a control frame"
            if not fin:
                yield f"{what} is a control frame without FIN"
        else:
            if in_message != (opcode == CONTINUATION):
                yield f"{what} is out of order"
            in_message = not fin

    # Of what follows the Close there is only what came with it in one piece.
    if result.remote_close_code is not None:
        payload = result.remote_close_code.to_bytes(2, "big")
        payload += (result.remote_close_reason or "").encode()
        close = bytes([0x80 | CLOSE, len(payload)]) + payload
        last = [entry[1][1] for entry in result.wirelog if entry[0] == "RO"][-1:]
        if last and "..." not in last[0] and not last[0].endswith(close.hex()):
            yield f"the last bytes, {last[0]}, are not those of the Close"

"""The server that every peer is measured against: as little work a request as Python allows.

`python -m benchmarks.server 0 30` listens on one port for each latency in milliseconds, prints the
ports as a JSON array and serves until its standard input ends. `GET /usage` tells the CPU seconds
that it has used, which is how a run knows whether the server held a fast peer back.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import cast
from urllib.parse import parse_qs

from . import checkout_payloads, payloads

_TOTAL_VOUCHERS = 9_900
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = (
    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
    "date: Sun, 22 Feb 2026 10:00:00 GMT\r\nx-request-id: v-0f3a5c7e9b\r\n"
    "x-rate-limit-limit: 1000000000\r\nx-rate-limit-remaining: 999999999\r\n"
    "content-length: {length}\r\n\r\n"
)


def _answer(body: bytes, status: str = "200 OK") -> bytes:
    return _HEAD.format(status=status, length=len(body)).encode() + body


_VOUCHERS = b"GET /v1/vouchers/"
_POSTS = {
    b"POST /v1/vouchers/import": _answer(
        payloads.encode({"async_action_id": "aa_bench"}), "202 Accepted"
    ),
    b"POST /v1/validations": _answer(
        checkout_payloads.validation_bytes(len(checkout_payloads.CODES))
    ),
    b"POST /v1/redemptions": _answer(checkout_payloads.redemption_bytes()),
}


@lru_cache(maxsize=_TOTAL_VOUCHERS // payloads.PAGE)
def _page(number: int) -> bytes:
    return _answer(payloads.page_bytes(_TOTAL_VOUCHERS, number))


@lru_cache
def _around_code(length: int) -> tuple[bytes, bytes]:
    """The answer that is a voucher, before and behind its code of so many bytes."""
    before, _, behind = payloads.voucher_bytes().partition(b"SUMMER-10")
    answer = _answer(before + bytes(length) + behind)
    return answer[: -len(behind) - length], behind


def _voucher(head: bytes) -> bytes:
    """The voucher that is asked for: clients hold its code against what they asked."""
    code = head[len(_VOUCHERS) : head.index(b" ", len(_VOUCHERS))]
    before, behind = _around_code(len(code))
    return before + code + behind


@lru_cache(maxsize=2_000)
def _transactions(cursor: str, last: int) -> bytes:
    first = int(cursor.removeprefix("vtx_")) + 1 if cursor else 0
    more = first + payloads.PAGE < last
    return _answer(payloads.transactions_bytes(first, more=more))


def _route(head: bytes) -> bytes:
    """The whole answer to a request, of which only the first line matters."""
    if head.startswith(_VOUCHERS) and b"/transactions" not in head[:100]:
        return _voucher(head)
    if head.startswith(b"POST"):
        return _POSTS[head[: head.index(b" ", 5)]]
    target = head.split(b" ", 2)[1].decode()
    path, _, query = target.partition("?")
    if path == "/v1/vouchers":
        return _page(int(parse_qs(query).get("page", ["1"])[0]))
    if path == "/usage":
        return _answer(json.dumps(time.process_time()).encode())
    # /v1/vouchers/CARD-{count}/transactions: as many as the code says.
    count = int(path.split("/")[3].removeprefix("CARD-"))
    return _transactions(parse_qs(query).get("starting_after_id", [""])[0], count)


class _Connection(asyncio.Protocol):
    """One connection: requests come one after the other, as every peer sends them."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._head = b""
        self._missing = 0
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance: uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            # Of a body only the length counts.
            self._missing -= len(data)
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._head, 0, end) if self._head[:1] == b"P" else None
            self._missing = int(length[1]) - (len(self._head) - end - 4) if length else 0
        if self._missing <= 0:
            self._respond(_route(self._head))
            self._head, self._missing = b"", 0

    def _respond(self, answer: bytes) -> None:
        if self._latency:
            self._loop.call_later(self._latency, self._send, answer)
        else:
            self._transport.write(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve(latencies: list[float]) -> None:
    loop = asyncio.get_running_loop()
    ports = []
    for latency in latencies:
        factory = partial(_Connection, latency / 1_000)
        server = await loop.create_server(factory, "127.0.0.1", 0, backlog=2_048)
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    # Ends with the process that started it, however that one ends.
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    latencies = [float(text) for text in sys.argv[1:]] or [0.0]
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(latencies))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster loop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    main()

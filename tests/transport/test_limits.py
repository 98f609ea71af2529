"""Answers without end: bodies, packed ones, heads, and interim answers before them."""

from __future__ import annotations

import gzip
import itertools
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AnswerTooLargeError,
    AsyncVoucherify,
    ConfigurationError,
    ProtocolError,
    ReadTimeout,
    RetryPolicy,
)
from voucherify_async._transport import passage
from voucherify_async._transport.unpacking import TooLargeError, UnpackingError, read_whole

from .wire import VOUCHER, ok, read_request, serving

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

LIMIT = 1_000_000
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSED = b"Connection: close"
BOMB = gzip.compress(bytes(20 * LIMIT))
DEFLATE_BOMB = zlib.compress(bytes(20 * LIMIT))


def for_ever(connection: socket.socket, begin: bytes, again: bytes) -> None:
    """Send a beginning, and then the same again until the client has had enough."""
    connection.sendall(begin)
    while True:
        connection.sendall(again)


BODIES: dict[str, Callable[[socket.socket], None]] = {
    "endless chunks": lambda c: for_ever(c, CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n"),
    "no length": lambda c: for_ever(c, HEAD + b"\r\n", bytes(65536)),
    "length": lambda c: for_ever(c, HEAD + b"Content-Length: 1000001\r\n\r\n", bytes(65536)),
    "bomb": lambda c: c.sendall(ok(BOMB, CLOSED, b"Content-Encoding: gzip")),
    "deflate bomb": lambda c: c.sendall(ok(DEFLATE_BOMB, CLOSED, b"Content-Encoding: deflate")),
    "empty members": lambda c: for_ever(
        c, HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 1000
    ),
}
HEADS: dict[str, Callable[[socket.socket], None]] = {
    "interim answers": lambda c: for_ever(c, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
    "header lines": lambda c: for_ever(c, HEAD, b"X-More: and more\r\n" * 1000),
    "one header": lambda c: for_ever(c, HEAD + b"X-More: ", b"more" * 1000),
}
OWN: dict[str, Any] = {"our own": lambda: None}
CLIENTS = {
    **OWN,
    "httpx": lambda: httpx.AsyncClient(verify=False),
    "httpx2": lambda: httpx2.AsyncClient(verify=False),
}
CASES = [
    pytest.param(answer, client, id=f"{name}-{kind}")
    for answers, clients in ((BODIES, CLIENTS), (HEADS, OWN))
    for (name, answer), (kind, client) in itertools.product(answers.items(), clients.items())
]


@pytest.mark.parametrize(("answer", "make_client"), CASES)
async def test_an_answer_without_end_is_left(
    http_backend: Any,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[socket.socket], None],
    make_client: Any,
) -> None:
    """A read raises AnswerTooLargeError, and once is enough; a write may have been done."""
    http = make_client()
    if http is not None and http_backend != "httpcore":
        pytest.skip("a client that is passed in has no backend of ours")
    if http_backend == "pyreqwest" and answer is HEADS["interim answers"]:
        pytest.skip("pyreqwest does not tell of them; the time limit ends them, see below")
    monkeypatch.setattr(passage, "HEAD_LIMIT", 300_000)
    requests = 0

    def handle(connection: socket.socket) -> None:
        nonlocal requests
        read_request(connection)
        requests += 1
        answer(connection)

    async with AsyncExitStack() as stack:
        address = stack.enter_context(serving(handle))
        if http is not None:
            await stack.enter_async_context(http)
        options: dict[str, Any] = {"http_client": http, "http_backend": http_backend}
        client = await stack.enter_async_context(
            AsyncVoucherify(
                "id",
                "token",
                base_url=f"http://{address}",
                max_answer_bytes=LIMIT,
                retry=RetryPolicy(backoff=0),
                **options,
            )
        )
        with anyio.fail_after(60):
            with pytest.raises(ProtocolError) as read:
                await client.vouchers.get("CODE")
            with pytest.raises(AmbiguousOutcomeError) as written:
                await client.vouchers.enable("CODE")
    assert requests == 2 or answer in HEADS.values()
    for error in (read.value, written.value.__cause__):
        # aiohttp has a limit of its own for one header.
        assert isinstance(error, AnswerTooLargeError) or answer in HEADS.values()
        assert isinstance(error, ProtocolError)


async def test_interim_answers_without_end_end_at_the_time_limit(http_backend: Any) -> None:
    """Where nobody counts them, they are left when the answer is overdue."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        HEADS["interim answers"](connection)

    with serving(handle) as address:
        async with AsyncVoucherify(
            "id",
            "token",
            base_url=f"http://{address}",
            http_backend=http_backend,
            retry=None,
            # Real milliseconds: what is tried out is the limit of a real socket.
            timeout=0.1,
        ) as client:
            with pytest.raises((ReadTimeout, AnswerTooLargeError)), anyio.fail_after(30):
                await client.vouchers.get("CODE")


async def test_each_answer_on_a_connection_has_the_limit(http_backend: Any) -> None:
    """Also where the connection has carried an answer before."""
    if http_backend == "pyreqwest":
        pytest.skip("pyreqwest does not tell of interim answers")
    connections = 0

    def handle(connection: socket.socket) -> None:
        nonlocal connections
        connections += 1
        read_request(connection)
        connection.sendall(ok())
        read_request(connection)
        HEADS["interim answers"](connection)

    with serving(handle) as address:
        async with AsyncVoucherify(
            "id", "token", base_url=f"http://{address}", http_backend=http_backend, retry=None
        ) as client:
            await client.vouchers.get("CODE")
            with pytest.raises(AnswerTooLargeError), anyio.fail_after(30):
                await client.vouchers.get("CODE")
    assert connections == 1


async def test_an_answer_up_to_the_limit_is_read(http_backend: Any) -> None:
    """The limit itself is allowed, packed and unpacked."""
    filler = b'{"code":"CODE","category":"' + b"x" * (LIMIT - 29) + b'"}'
    assert len(filler) == LIMIT

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(ok(filler))
        read_request(connection)
        connection.sendall(ok(gzip.compress(filler), b"Content-Encoding: gzip"))

    with serving(handle) as address:
        async with AsyncVoucherify(
            "id",
            "token",
            base_url=f"http://{address}",
            http_backend=http_backend,
            max_answer_bytes=LIMIT,
        ) as client:
            for _ in range(2):
                assert len((await client.vouchers.get("CODE")).category or "") == LIMIT - 29


@pytest.mark.parametrize("limit", [0, -1, 1.5, "1", True, None])
def test_a_limit_is_a_count(limit: Any) -> None:
    """Anything else than an integer above 0 is refused at once."""
    with pytest.raises(ConfigurationError, match="max_answer_bytes"):
        AsyncVoucherify("id", "token", max_answer_bytes=limit)


async def _pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


RAW_DEFLATE: bytes = zlib.compress(VOUCHER)[2:-4]


@pytest.mark.parametrize("size", [1, 7, 65536])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", VOUCHER),
        ("identity", VOUCHER),
        ("gzip", gzip.compress(VOUCHER, mtime=0)),
        ("X-GZip", gzip.compress(VOUCHER, mtime=0)),
        ("gzip", gzip.compress(VOUCHER[:5], mtime=0) + gzip.compress(VOUCHER[5:], mtime=0)),
        ("deflate", zlib.compress(VOUCHER)),
        ("deflate", RAW_DEFLATE),
    ],
)
async def test_a_body_is_unpacked(encoding: str, packed: bytes, size: int) -> None:
    """In whatever pieces it comes, and in each form that servers send it in."""
    headers = {"content-encoding": encoding}
    assert await read_whole(_pieces(packed, size), headers, 99) == VOUCHER
    with pytest.raises(TooLargeError):
        await read_whole(_pieces(packed, size), headers, len(VOUCHER) - 1)


@pytest.mark.parametrize("size", [1, 65536])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("br", b"anything"),
        ("gzip, gzip", gzip.compress(gzip.compress(VOUCHER, mtime=0), mtime=0)),
        ("gzip", VOUCHER),
        ("gzip", gzip.compress(VOUCHER, mtime=0)[:-1]),
        ("gzip", gzip.compress(VOUCHER, mtime=0) + b"more"),
        ("deflate", zlib.compress(VOUCHER)[:-1]),
        ("deflate", zlib.compress(VOUCHER) + b"more"),
        ("deflate", b"\xff" * 9),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_refused(
    encoding: str, packed: bytes, size: int
) -> None:
    """Nothing of it is taken for the whole."""
    with pytest.raises(UnpackingError):
        await read_whole(_pieces(packed, size), {"content-encoding": encoding}, 1000)


async def test_a_body_of_nothing_is_nothing() -> None:
    """An empty body may call itself packed, as answers to a deletion do."""
    assert await read_whole(_pieces(b"", 1), {"content-encoding": "gzip"}, 9) == b""

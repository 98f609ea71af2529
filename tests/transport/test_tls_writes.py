"""Writes over a TLS that breaks once the other side has the request."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from anyio.abc import ByteStream

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify
from voucherify_async._transport import sockets

from ..backends import POOLED
from .wire import is_whole, read_request, reset, serving

pytestmark = pytest.mark.anyio


class AnsweringTLS(ByteStream):
    """A TLS that encrypts nothing, and was asked for new keys by whatever it receives."""

    def __init__(self, below: ByteStream) -> None:
        self._below = below

    @classmethod
    async def wrap(cls, below: ByteStream, **_: object) -> AnsweringTLS:
        """Stand in for `TLSStream.wrap`."""
        return cls(below)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Answer what came, until that fails: the connection is being reset."""
        await self._below.receive(max_bytes)
        while True:
            await self._below.send(b"new keys")
            await anyio.lowlevel.checkpoint()

    async def send(self, item: bytes) -> None:
        """Write it as it is."""
        await self._below.send(item)

    async def send_eof(self) -> None:
        """Nobody asks for it."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close what is below."""
        await self._below.aclose()

    @property
    def extra_attributes(self) -> Any:
        """Those of what is below."""
        return self._below.extra_attributes


@pytest.mark.parametrize("backend", POOLED)
async def test_a_write_before_keys_that_did_not_go_out_is_not_repeated(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where TLS cannot answer the other side, that has the request nevertheless."""
    received: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        received.append(read_request(connection))
        connection.sendall(b"give me new keys")
        reset(connection)

    monkeypatch.setattr(sockets, "TLSStream", AnsweringTLS)
    with serving(handle) as address:
        async with AsyncVoucherify(
            "id", "token", base_url=f"https://{address}", http_backend=backend
        ) as client:
            with pytest.raises(AmbiguousOutcomeError):
                await client.vouchers.update_balance("CODE", 500)
    assert [is_whole(request) for request in received] == [True]


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_write_answered_by_what_is_not_tls_is_in_doubt(
    library: Any, server_tls: ssl.SSLContext
) -> None:
    """An injected client raises an error of TLS itself, which is not told as such."""
    received: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        received.append(read_request(connection))
        with socket.socket(fileno=os.dup(connection.fileno())) as below:
            below.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with serving(handle, server_tls) as address:
        async with library.AsyncClient(verify=False) as http:
            client = AsyncVoucherify("id", "token", base_url=f"https://{address}", http_client=http)
            with pytest.raises(AmbiguousOutcomeError):
                await client.vouchers.update_balance("CODE", 500)
    assert [is_whole(request) for request in received] == [True]

"""The optional aiohttp backend: the same answers, and the same care with money."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpx
import pytest
from anyio.abc import SocketAttribute, SocketStream
from httpx_aiohttp import AiohttpTransport

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    ConfigurationError,
    ConnectError,
    RetryPolicy,
    Voucher,
    VoucherUpdate,
)
from voucherify_async.testing import FakeVoucherify

pytestmark = pytest.mark.anyio

QUICK = RetryPolicy(backoff=0)


@pytest.fixture
def anyio_backend() -> str:
    """The backend runs on asyncio only."""
    return "asyncio"


@pytest.fixture
def fake() -> FakeVoucherify:
    """A server with a gift card."""
    fake = FakeVoucherify()
    fake.add_voucher(code="CARD 1/ü", gift={"amount": 1000, "balance": 1000})
    return fake


@pytest.fixture
def url(fake: FakeVoucherify) -> Iterator[str]:
    """The server's address on a loopback port."""
    with fake.serve() as url:
        yield url


def client(url: str) -> AsyncVoucherify:
    """A client of that server over aiohttp."""
    return AsyncVoucherify("id", "token", base_url=url, http_backend="aiohttp", retry=QUICK)


async def test_reads_writes_uploads_and_downloads(
    fake: FakeVoucherify, url: str, tmp_path: object
) -> None:
    """Every kind of request passes: without a body, with JSON, with a file."""
    fake.polls_until_done = 0
    async with client(url) as api:
        assert (await api.vouchers.get("CARD 1/ü")).code == "CARD 1/ü"
        changed = await api.vouchers.update("CARD 1/ü", VoucherUpdate(metadata={"a": "ü"}))
        assert changed.metadata == {"a": "ü"}
        assert (await api.vouchers.disable("CARD 1/ü")).active is False
        job = await api.imports.csv(b"Code,Voucher Type,Value\nNEW,GIFT_VOUCHER,1.00\n")
        await job.wait(raise_on_failed=True)
        assert {v.code async for v in api.vouchers.list()} == {"CARD 1/ü", "NEW"}
        await api.vouchers.delete("NEW", force=True)


async def test_many_at_once(url: str) -> None:
    """A fan-out far beyond the limiter comes back whole."""
    found: list[Voucher] = []
    async with client(url) as api, anyio.create_task_group() as group:

        async def look_up() -> None:
            found.append(await api.vouchers.get("CARD 1/ü"))

        for _ in range(300):
            group.start_soon(look_up)
    assert len(found) == 300


@pytest.mark.parametrize("fault", ["reset", "disconnect", "lose_answer", "reset_after_headers"])
async def test_a_broken_connection_never_repeats_a_balance_update(
    fake: FakeVoucherify, url: str, fault: str
) -> None:
    """What aiohttp's adapter calls a connect timeout may have been processed, and is not resent."""
    getattr(fake.faults, fault)(method="POST")
    async with client(url) as api:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await api.vouchers.update_balance("CARD 1/ü", 500)
    assert caught.value.source_id
    assert len([r for r in fake.requests if r.method == "POST"]) == 1
    assert len(fake.transactions("CARD 1/ü")) <= 1


async def test_a_refused_connection_is_known_to_be_unsent() -> None:
    """Nobody listens: a write raises ConnectError and not an unknown outcome."""
    async with client("http://127.0.0.1:1") as api:
        with pytest.raises(ConnectError):
            await api.vouchers.update_balance("CARD", 500)


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "voucherify_async._transport.aiohttp", raising=False)
    async with client("http://127.0.0.1:1") as api:
        with pytest.raises(ConfigurationError, match=r"voucherify-async\[aiohttp\]"):
            await api.vouchers.get("CARD")


def test_an_unknown_backend_is_refused() -> None:
    """A misspelt backend raises at once."""
    with pytest.raises(ConfigurationError, match="http_backend"):
        AsyncVoucherify("id", "token", http_backend="requests")  # type: ignore[arg-type]


def test_on_trio_it_is_refused() -> None:
    """aiohttp needs asyncio, and the error says so."""

    async def call() -> None:
        async with client("http://127.0.0.1:1") as api:
            with pytest.raises(ConfigurationError, match="asyncio only"):
                await api.vouchers.get("CARD")

    anyio.run(call, backend="trio")


@pytest.mark.parametrize("injected", [False, True])
async def test_what_is_no_http_tells_no_secret(*, injected: bool) -> None:
    """An answer that aiohttp cannot read is an open outcome, without the request that it holds."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    url = f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"

    async def answer(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HELLO GARBAGE\r\n\r\n")

    async with anyio.create_task_group() as group, AsyncExitStack() as stack:
        group.start_soon(listener.serve, answer)
        own: Any = {"http_backend": "aiohttp"}
        if injected:
            http = httpx.AsyncClient(transport=AiohttpTransport())
            own = {"http_client": await stack.enter_async_context(http)}
        async with AsyncVoucherify("id", "top-secret", base_url=url, **own) as api:
            with pytest.raises(AmbiguousOutcomeError) as caught:
                await api.vouchers.update_balance("CARD", 500)
        error: BaseException | None = caught.value
        while error is not None:
            assert "top-secret" not in repr(error) + repr(vars(error))
            error = error.__cause__ or error.__context__
        group.cancel_scope.cancel()
    await listener.aclose()

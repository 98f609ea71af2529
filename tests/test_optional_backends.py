"""The faster backends, which are extras: the same answers, and the same care with money."""

from __future__ import annotations

import ssl
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
from voucherify_async._transport import choice, pyreqwest_exit
from voucherify_async.testing import FakeVoucherify

pytestmark = pytest.mark.anyio

QUICK = RetryPolicy(backoff=0)


@pytest.fixture
def anyio_backend() -> str:
    """They run on asyncio only."""
    return "asyncio"


@pytest.fixture(params=["aiohttp", "pyreqwest"])
def backend(request: pytest.FixtureRequest) -> Any:
    """Each of them."""
    return request.param


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


def client(url: str, backend: Any) -> AsyncVoucherify:
    """A client of that server."""
    return AsyncVoucherify("id", "token", base_url=url, http_backend=backend, retry=QUICK)


async def test_reads_writes_uploads_and_downloads(
    fake: FakeVoucherify, url: str, backend: Any
) -> None:
    """Every kind of request passes: without a body, with JSON, with a file."""
    fake.polls_until_done = 0
    async with client(url, backend) as api:
        assert (await api.vouchers.get("CARD 1/ü")).code == "CARD 1/ü"
        changed = await api.vouchers.update("CARD 1/ü", VoucherUpdate(metadata={"a": "ü"}))
        assert changed.metadata == {"a": "ü"}
        assert (await api.vouchers.disable("CARD 1/ü")).active is False
        job = await api.imports.csv(b"Code,Voucher Type,Value\nNEW,GIFT_VOUCHER,1.00\n")
        await job.wait(raise_on_failed=True)
        assert {v.code async for v in api.vouchers.list()} == {"CARD 1/ü", "NEW"}
        await api.vouchers.delete("NEW", force=True)


async def test_many_at_once(url: str, backend: Any) -> None:
    """A fan-out far beyond the limiter comes back whole."""
    found: list[Voucher] = []
    async with client(url, backend) as api, anyio.create_task_group() as group:

        async def look_up() -> None:
            found.append(await api.vouchers.get("CARD 1/ü"))

        for _ in range(300):
            group.start_soon(look_up)
    assert len(found) == 300


@pytest.mark.parametrize("fault", ["reset", "disconnect", "lose_answer", "reset_after_headers"])
async def test_a_broken_connection_never_repeats_a_balance_update(
    fake: FakeVoucherify, url: str, backend: Any, fault: str
) -> None:
    """What a library calls an error of connecting may have been processed, and is not resent."""
    getattr(fake.faults, fault)(method="POST")
    async with client(url, backend) as api:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await api.vouchers.update_balance("CARD 1/ü", 500)
    assert caught.value.source_id
    assert len([r for r in fake.requests if r.method == "POST"]) == 1
    assert len(fake.transactions("CARD 1/ü")) <= 1


async def test_a_refused_connection_is_known_to_be_unsent(backend: Any) -> None:
    """Nobody listens: a write raises ConnectError and not an unknown outcome."""
    async with client("http://127.0.0.1:1", backend) as api:
        with pytest.raises(ConnectError):
            await api.vouchers.update_balance("CARD", 500)


def uninstall(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    """Leave extras out."""
    for library in libraries:
        monkeypatch.setitem(sys.modules, library, None)
        monkeypatch.delitem(sys.modules, f"voucherify_async._transport.{library}", raising=False)


async def test_without_the_extra_it_says_what_to_install(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the extra."""
    uninstall(monkeypatch, backend)
    async with client("http://127.0.0.1:1", backend) as api:
        with pytest.raises(ConfigurationError, match=rf"voucherify-async\[{backend}\]"):
            await api.vouchers.get("CARD")


def test_an_unknown_backend_is_refused() -> None:
    """A misspelt backend raises at once."""
    with pytest.raises(ConfigurationError, match="http_backend"):
        AsyncVoucherify("id", "token", http_backend="requests")  # type: ignore[arg-type]


def test_on_trio_it_is_refused(backend: Any) -> None:
    """It needs asyncio, and the error says so."""

    async def call() -> None:
        async with client("http://127.0.0.1:1", backend) as api:
            with pytest.raises(ConfigurationError, match="asyncio only"):
                await api.vouchers.get("CARD")

    anyio.run(call, backend="trio")


@pytest.mark.parametrize("injected", [False, True])
async def test_what_is_no_http_tells_no_secret(*, backend: Any, injected: bool) -> None:
    """An answer that cannot be read is an open outcome, without the request that it holds."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    url = f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"

    async def answer(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HELLO GARBAGE\r\n\r\n")

    async with anyio.create_task_group() as group, AsyncExitStack() as stack:
        group.start_soon(listener.serve, answer)
        own: Any = {"http_backend": backend}
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


def backend_of(**options: Any) -> str:
    """Which backend `auto` has taken, of those that the event loop and the settings allow."""
    loop = options.pop("loop", "asyncio")

    async def name() -> str:
        async with AsyncVoucherify("id", "token", http_backend="auto", **options) as client:
            return type(client._caller.connections.sender()).__name__

    return anyio.run(name, backend=loop)


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing else": ({}, "PyreqwestSender"),
    "trio": ({"loop": "trio"}, "PooledSender"),
    "SOCKS": ({"proxy": "socks5://127.0.0.1:1"}, "PyreqwestSender"),
    "a proxy": ({"proxy": "http://127.0.0.1:1"}, "PyreqwestSender"),
    "no check": ({"verify": False}, "PyreqwestSender"),
    "authorities": ({"verify": ssl.create_default_context()}, "AiohttpSender"),
    "SOCKS and authorities": (
        {"proxy": "socks5://127.0.0.1:1", "verify": ssl.create_default_context()},
        "PooledSender",
    ),
}


@pytest.mark.parametrize(("options", "taken"), SETTINGS.values(), ids=list(SETTINGS))
def test_auto_takes_the_fastest_that_can_do_it(options: dict[str, Any], taken: str) -> None:
    """What a backend cannot do makes it take the next one."""
    assert backend_of(**options) == taken


def test_auto_does_without_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without extras it is the default."""
    uninstall(monkeypatch, "pyreqwest")
    assert backend_of() == "AiohttpSender"
    uninstall(monkeypatch, "aiohttp")
    assert backend_of() == "PooledSender"


def test_auto_heeds_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp speaks no SOCKS, whoever names the proxy."""
    uninstall(monkeypatch, "pyreqwest")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    assert backend_of() == "PooledSender"


def test_auto_in_a_fork_of_a_process_that_used_pyreqwest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of pyreqwest is missing there: by name it is refused, and `auto` goes on."""
    monkeypatch.setattr(pyreqwest_exit, "_guarded", {0})
    assert backend_of() == "AiohttpSender"


def test_a_system_without_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyreqwest, which brings none, is not taken, and by name it says why."""
    monkeypatch.setattr(choice, "has_system_authorities", lambda: False)
    assert backend_of() == "AiohttpSender"
    assert backend_of(verify=False) == "PyreqwestSender"
    with pytest.raises(ConfigurationError, match="ca-certificates"):
        AsyncVoucherify("id", "token", http_backend="pyreqwest")

"""Names of HTTP libraries that are not public: without them it is slower, never unsafe."""

from __future__ import annotations

from typing import Any, cast

import aiohttp
import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from voucherify_async import AsyncVoucherify
from voucherify_async._transport import pool as pools
from voucherify_async._transport import watched as ways

from ..backends import POOLED
from .wire import serve_for_ever, serving

pytestmark = pytest.mark.anyio


async def count_connections(http_backend: str = "httpcore") -> int:
    """How many connections three requests in a row take."""
    connections = 0

    def handle(connection: Any) -> None:
        nonlocal connections
        connections += 1
        serve_for_ever(connection)

    with serving(handle) as address:
        options: dict[str, Any] = {"http_backend": http_backend}
        async with AsyncVoucherify("id", "t", base_url=f"http://{address}", **options) as client:
            for _ in range(3):
                assert (await client.vouchers.get("CODE")).code == "CODE"
    return connections


async def test_with_every_name_in_place_one_connection_is_kept(
    http_backend: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The versions that are installed are known, and nothing warns."""
    assert await count_connections(http_backend) == 1
    assert not caplog.records


@pytest.mark.parametrize("backend", POOLED)
async def test_without_a_view_of_leftovers_each_connection_is_used_once(
    backend: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`_connection`, `_h11_state` and its `trailing_data` tell what came too many."""
    known = pools._leftovers
    monkeypatch.setattr(pools, "_leftovers", lambda connection: known(Renamed(connection)))
    assert await count_connections(backend) == 3
    assert len(caplog.records) == 1
    assert ("httpcore2 " if backend == "httpx2" else "httpcore ") in caplog.text


class Renamed:
    """A connection of which no private name is known."""

    def __init__(self, connection: object) -> None:
        self.connection = connection


@pytest.mark.parametrize(
    ("backend", "library"), [("httpcore", httpcore), ("httpx2", httpcore2)], ids=POOLED
)
async def test_without_the_locks_names_they_stay(
    backend: str, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`_request_lock` and `_state_lock` are left out for speed alone."""
    monkeypatch.setattr(pools, "_unlock", lambda *_: None)
    assert await count_connections(backend) == 1
    made = library.AsyncHTTPConnection(library.Origin(b"http", b"a", 80))
    pools._unlock(made, "no such lock")


async def test_without_aiohttps_factory_each_connection_is_used_once(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`TCPConnector._factory` makes what watches a connection."""
    if anyio_backend == "trio":
        pytest.skip("aiohttp runs on asyncio only")
    made = aiohttp.TCPConnector.__init__

    def without(self: aiohttp.TCPConnector, **options: Any) -> None:
        made(self, **options)
        factory = self._factory
        self._factory = cast("Any", [factory][0].__call__)

    monkeypatch.setattr(aiohttp.TCPConnector, "__init__", without)
    assert await count_connections("aiohttp") == 3
    assert "aiohttp" in caplog.text


@pytest.mark.parametrize(
    ("backend", "library"), [("httpcore", httpx), ("httpx2", httpx2)], ids=POOLED
)
async def test_without_the_name_of_httpxs_pool_its_own_is_used(
    backend: str, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`_pool` puts ours under a transport that is watched; else httpx's keeps no connection."""

    async def renamed(self: object) -> None:
        """Close what is called otherwise."""

    transport = library.AsyncHTTPTransport
    original = transport.handle_async_request

    async def watched(self: Any, request: Any) -> Any:
        return await original(self, request)

    monkeypatch.setattr(transport, "handle_async_request", watched)
    assert await count_connections(backend) == 1
    monkeypatch.setattr(transport, "aclose", renamed)
    with pytest.warns(RuntimeWarning, match=f"{library.__name__} "):
        assert isinstance(ways.transport_over(None, library), transport)

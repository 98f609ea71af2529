"""The async clients: each yields a function that looks one voucher up.

All of them have at most 100 connections and no practical time limit, so that they differ in their
own cost alone; ours is shown with its default bound of 20 as well (`own`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

from . import own
from .own import CONNECTIONS, SECONDS

Get = Callable[[str], Awaitable[object]]

HEADERS = {"X-App-Id": "bench", "X-App-Token": "bench", "Accept": "application/json"}


def lookup(peer: str, url: str) -> AbstractAsyncContextManager[Get]:
    """The client of that name: `own.SETTINGS` and the functions below."""
    return _ours(peer, url) if peer in own.SETTINGS else globals()[peer](url)  # type: ignore[no-any-return]


@asynccontextmanager
async def _ours(peer: str, url: str) -> AsyncIterator[Get]:
    async with own.client(peer, url) as client:
        yield client.vouchers.get


@asynccontextmanager
async def ours_injected(url: str) -> AsyncIterator[Get]:
    """Over an injected httpx client whose transport is aiohttp's."""
    import httpx
    from httpx_aiohttp import AiohttpTransport

    from voucherify_async import AsyncVoucherify

    async with (
        httpx.AsyncClient(transport=AiohttpTransport()) as injected,
        AsyncVoucherify(
            "bench",
            "bench",
            base_url=url,
            timeout=SECONDS,
            max_concurrency=CONNECTIONS,
            http_client=injected,
        ) as client,
    ):
        yield client.vouchers.get


@asynccontextmanager
async def raw_httpx(url: str) -> AsyncIterator[Get]:
    import httpx

    async with httpx.AsyncClient(headers=HEADERS, timeout=SECONDS) as client:
        yield _httpx_get(client, url)


@asynccontextmanager
async def httpx_alone(url: str) -> AsyncIterator[Get]:
    """Raw httpx as `pip install httpx` leaves it; see `_WithoutSniffio`."""
    if not any(isinstance(finder, _WithoutSniffio) for finder in sys.meta_path):
        sys.modules.pop("sniffio", None)
        sys.meta_path.insert(0, _WithoutSniffio())
    async with raw_httpx(url) as get:
        yield get


class _WithoutSniffio(MetaPathFinder):
    """Lets importing sniffio fail at the price of a search that finds nothing.

    httpcore tries that import at every request. We install sniffio for that reason alone, and with
    it raw httpx gets faster too.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname == "sniffio":
            PathFinder.find_spec("sniffio_that_is_absent", path, target)
            raise ModuleNotFoundError("No module named 'sniffio'", name="sniffio")


@asynccontextmanager
async def raw_httpx2(url: str) -> AsyncIterator[Get]:
    import httpx2

    async with httpx2.AsyncClient(headers=HEADERS, timeout=SECONDS) as client:
        yield _httpx_get(client, url)


@asynccontextmanager
async def raw_httpx_on_aiohttp(url: str) -> AsyncIterator[Get]:
    import httpx
    from httpx_aiohttp import AiohttpTransport

    async with httpx.AsyncClient(
        headers=HEADERS, timeout=SECONDS, transport=AiohttpTransport()
    ) as client:
        yield _httpx_get(client, url)


def _httpx_get(client: Any, url: str) -> Get:
    async def get(code: str) -> object:
        response = await client.get(f"{url}/v1/vouchers/{code}")
        return response.json()

    return get


@asynccontextmanager
async def raw_aiohttp(url: str) -> AsyncIterator[Get]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(headers=HEADERS, timeout=timeout) as session:

        async def get(code: str) -> object:
            async with session.get(f"{url}/v1/vouchers/{code}") as response:
                return json.loads(await response.read())

        yield get


@asynccontextmanager
async def raw_pyreqwest(url: str) -> AsyncIterator[Get]:
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().default_headers(HEADERS).build() as client:

        async def get(code: str) -> object:
            response = await client.get(f"{url}/v1/vouchers/{code}").build().send()
            return await response.json()

        yield get

"""Checkouts (a validation, then a redemption) and walks over pages, by every client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from .. import checkout_payloads, payloads
from . import own
from .asynchronous import HEADERS

Checkout = Callable[[str], Awaitable[object]]
Walk = Callable[[int], Awaitable[None]]
Send = Callable[[str, str, bytes | None], Awaitable[Any]]
"""Method, path and body to the answer's JSON types."""

_JSON = {**HEADERS, "Content-Type": "application/json"}


@asynccontextmanager
async def checkout(peer: str, url: str) -> AsyncIterator[Checkout]:
    """Validates and redeems under a source id; ours returns models."""
    if peer in own.SETTINGS:
        async with own.client(peer, url) as client:

            async def with_models(source_id: str) -> object:
                body = checkout_payloads.request(source_id)
                await client.validations.validate(**body)
                return await client.redemptions.redeem(**body)

            yield with_models
        return
    async with _RAW[peer](url) as send:

        async def with_json(source_id: str) -> object:
            body = json.dumps(checkout_payloads.request(source_id)).encode()
            await send("POST", "/v1/validations", body)
            return await send("POST", "/v1/redemptions", body)

        yield with_json


@asynccontextmanager
async def walk(peer: str, url: str) -> AsyncIterator[Walk]:
    """Walks so many pages of 100 vouchers; ours returns models and reads one page ahead."""
    if peer in own.SETTINGS:
        async with own.client(peer, url) as client:

            async def with_models(pages: int) -> None:
                async for _ in client.vouchers.list(max_items=pages * payloads.PAGE):
                    pass

            yield with_models
        return
    async with _RAW[peer](url) as send:

        async def with_json(pages: int) -> None:
            for number in range(1, pages + 1):
                await send("GET", f"/v1/vouchers?limit={payloads.PAGE}&page={number}", None)

        yield with_json


@asynccontextmanager
async def _aiohttp(url: str) -> AsyncIterator[Send]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=own.SECONDS)
    async with aiohttp.ClientSession(headers=_JSON, timeout=timeout) as session:

        async def send(method: str, path: str, body: bytes | None) -> Any:
            async with session.request(method, url + path, data=body) as response:
                return json.loads(await response.read())

        yield send


@asynccontextmanager
async def _pyreqwest(url: str) -> AsyncIterator[Send]:
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().default_headers(_JSON).build() as client:

        async def send(method: str, path: str, body: bytes | None) -> Any:
            request = client.request(method, url + path)
            response = await (request.body_bytes(body) if body else request).build().send()
            return await response.json()

        yield send


@asynccontextmanager
async def _httpx(url: str) -> AsyncIterator[Send]:
    import httpx

    async with httpx.AsyncClient(headers=_JSON, timeout=own.SECONDS) as client:

        async def send(method: str, path: str, body: bytes | None) -> Any:
            return (await client.request(method, url + path, content=body)).json()

        yield send


_RAW: dict[str, Callable[[str], AbstractAsyncContextManager[Send]]] = {
    "aiohttp": _aiohttp,
    "pyreqwest": _pyreqwest,
    "httpx": _httpx,
}

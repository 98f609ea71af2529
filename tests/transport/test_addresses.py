"""Addresses and headers that cannot be sent, or not safely, are refused before anything is."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from voucherify_async import (
    AsyncVoucherify,
    ConfigurationError,
    ConnectError,
    InvalidArgumentError,
    VoucherifyError,
    from_dict,
    models,
)
from voucherify_async._transport.urls import Origin

from .wire import read_request, serve_for_ever, serving

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("http_client", [None, httpx.AsyncClient()])
@pytest.mark.parametrize(
    "url", ["http://api.test", "http://10.0.0.1:8080", "HTTP://API.TEST", "http://localhost.test"]
)
def test_clear_text_over_a_network_has_to_be_meant(url: str, http_client: Any) -> None:
    """`http://` sends the credentials in clear text, with a client that is passed in too."""
    options: dict[str, Any] = {"base_url": url, "http_client": http_client}
    with pytest.raises(ConfigurationError, match="allow_http"):
        AsyncVoucherify("id", "token", **options)
    AsyncVoucherify("id", "token", allow_http=True, **options)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]", "A.LOCALHOST"])
def test_clear_text_on_this_machine_is_allowed(host: str) -> None:
    """A loopback address needs no leave."""
    AsyncVoucherify("id", "token", base_url=f"http://{host}")


@pytest.mark.parametrize(
    "host",
    ["a" * 64 + ".test", "a..test", "xn--\u20ac.test", "\u2028.test", "\ud800.test", "[::1", ""],
)
def test_a_host_that_is_none_is_refused(host: str) -> None:
    """Neither httpx's errors nor those of name resolution come out later."""
    with pytest.raises(ConfigurationError, match="base_url"):
        AsyncVoucherify("id", "token", base_url=f"https://{host}")


def test_an_international_host_is_one() -> None:
    """It goes over the wire in its ASCII form."""
    AsyncVoucherify("id", "token", base_url="https://b\u00fccher.test")
    url = Origin("https://b\u00fccher.test").url("https://b\u00fccher.test/v1/vouchers/A")
    assert url.raw_host == b"xn--bcher-kva.test"


@pytest.mark.parametrize(
    "target", ["https://a..test/f", "https://\u2028.test/f", "https://" + "a" * 64 + ".test/f"]
)
@pytest.mark.parametrize("injected", [False, True])
async def test_an_export_at_a_broken_address_is_refused(
    http_backend: Any, target: str, injected: bool
) -> None:
    """What a server names is no reason for a foreign error either."""
    options: dict[str, Any] = {"http_backend": http_backend}
    if injected:
        options = {"http_client": httpx.AsyncClient()}
    async with AsyncVoucherify("id", "token", base_url="http://127.0.0.1:1", **options) as client:
        export = {"id": "exp", "status": "DONE", "result": {"url": target}}
        with pytest.raises(VoucherifyError):
            async with client.exports.open(from_dict(models.Export, export)):
                pass
    if injected:
        await options["http_client"].aclose()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a:b",
        "na\u00efve",
        "Transfer-Encoding",
        "CONTENT-LENGTH",
        "Expect",
        "host",
        "a\r\nb",
    ],
)
async def test_a_header_that_breaks_the_request_is_refused(name: str) -> None:
    """Of the client and of one call: nothing is sent."""
    with pytest.raises(ConfigurationError, match="headers"):
        AsyncVoucherify("id", "token", headers={name: "1"})
    async with AsyncVoucherify("id", "token", base_url="http://127.0.0.1:1") as client:
        with pytest.raises(InvalidArgumentError, match="headers"):
            await client.request("GET", "/v1/vouchers/A", headers={name: "1"})


async def test_no_log_and_no_error_shows_an_address(
    http_backend: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither httpx's log nor the texts of aiohttp's errors tell the code of a card."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []

    def drop(connection: Any) -> None:
        read_request(connection)

    def hang(connection: Any) -> None:
        while connection.recv(65536):
            pass

    for handle in (serve_for_ever, drop, hang):
        with serving(handle) as address:
            for variables in ({}, {"HTTP_PROXY": f"http://{address}"}):
                for name in ("HTTP_PROXY", *variables):
                    monkeypatch.delenv(name, raising=False)
                for name, value in variables.items():
                    monkeypatch.setenv(name, value)
                url = "http://api.test" if variables else f"http://{address}"
                async with AsyncVoucherify(
                    "id",
                    "token",
                    base_url=url,
                    allow_http=True,
                    http_backend=http_backend,
                    retry=None,
                    timeout=0.1,
                ) as client:
                    try:
                        await client.vouchers.get("SECRET-1")
                    except VoucherifyError as error:
                        shown += [repr(error), repr(error.__cause__)]
    async with AsyncVoucherify(
        "id", "token", base_url="https://127.0.0.1:1", http_backend=http_backend, retry=None
    ) as client:
        with pytest.raises(ConnectError) as caught:
            await client.vouchers.get("SECRET-1")
        shown += [repr(caught.value), repr(caught.value.__cause__)]
    assert len(shown) >= 8
    assert "SECRET" not in "".join(shown) + caplog.text


async def test_a_host_that_is_not_there_is_unsent(http_backend: Any) -> None:
    """A name that does not resolve is a connection that failed."""
    async with AsyncVoucherify(
        "id", "token", base_url="https://nobody.invalid", http_backend=http_backend, retry=None
    ) as client:
        with pytest.raises(ConnectError):
            await client.vouchers.update_balance("CARD", 5)


async def test_an_injected_aiohttp_transport_tells_no_address(anyio_backend: str) -> None:
    """Its connect timeout quotes the whole address, and ours does not."""
    if anyio_backend == "trio":
        pytest.skip("aiohttp runs on asyncio only")
    from httpx_aiohttp import AiohttpTransport

    def hang(connection: Any) -> None:
        while connection.recv(65536):
            pass

    with serving(hang) as address:
        async with httpx.AsyncClient(transport=AiohttpTransport(verify=False)) as http:
            client = AsyncVoucherify(
                "id", "t", base_url=f"https://{address}", http_client=http, retry=None, timeout=0.05
            )
            with pytest.raises(VoucherifyError) as caught:
                await client.vouchers.get("SECRET-1")
    assert "SECRET" not in repr(caught.value) + repr(caught.value.__cause__)

"""Proxies: which one is taken, what it is told, and that behind it the same rules hold."""

from __future__ import annotations

import base64
import random
import re
import socket
import ssl
import traceback
from contextlib import ExitStack
from typing import Any

import anyio
import httpcore
import httpx
import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    ConfigurationError,
    ConnectError,
    TransportError,
)
from voucherify_async._transport.proxies import Proxies, is_loopback
from voucherify_async._transport.proxies import Proxy as ProxyAddress

from ..backends import POOLED
from ..frames import is_own
from .proxies import Proxy
from .wire import ok, read_request, serve_for_ever, serving

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

BASIC = b"Basic " + base64.b64encode(b"us:er:p@ss/w0rd")
CREDENTIALS = "us%3Aer:p%40ss%2Fw0rd"
EXCEPTIONS = [
    "",
    "*",
    "api.test",
    ".api.test",
    "test",
    "other.test, api.test",
    "api.test:8080",
    "api.test:443",
    "http://api.test",
    "https://api.test",
    "all://api.test",
    "https://*.api.test",
    "10.1.2.3",
    "10.1.2.0/24",
    "localhost",
    "::1",
    "2001:db8::1",
    "pi.test",
]
ADDRESSES = [
    "https://api.test",
    "http://api.test",
    "https://us1.api.test",
    "https://api.test:8080",
    "https://xapi.test",
    "http://10.1.2.3",
    "http://10.1.2.4:8080",
    "https://[2001:db8::1]",
]


@pytest.mark.parametrize("entries", EXCEPTIONS)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def test_the_environment_is_read_as_httpx_does(
    monkeypatch: pytest.MonkeyPatch, entries: str, variable: str
) -> None:
    """For each address the same proxy as httpx takes, or none."""
    monkeypatch.setenv(variable, "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", entries)
    theirs = httpx.AsyncClient(verify=False)
    for address in ADDRESSES:
        url = httpx.URL(address)
        has_proxy = theirs._transport_for_url(url) is not theirs._transport
        ours = Proxies(None).of(url.scheme, url.raw_host.decode(), url.port)
        assert (ours is not None) is has_proxy, address
        assert ours is None or (ours.scheme, ours.host, ours.port) == ("http", "proxy.test", 3128)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "a.localhost"])
def test_this_machine_is_not_behind_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A loopback address is reached directly, unless a proxy was named for it."""
    monkeypatch.setenv("ALL_PROXY", "http://proxy.test")
    assert is_loopback(host)
    assert Proxies(None).of("http", host, None) is None
    named = ProxyAddress("http://proxy.test")
    assert Proxies(named).of("http", host, None) is named


@pytest.mark.parametrize(
    "url",
    ["", "proxy.test", "ftp://p4ss:p4ss@proxy.test", "http://p4ss@", "http://:p4ss@x:99999",
     "http://u:p4ss@host name", 5, b"http://proxy.test"],
)  # fmt: skip
def test_what_is_not_a_proxy_is_refused_unseen(url: Any) -> None:
    """The error says what is expected, and neither it nor its frames show what came."""
    with pytest.raises(ConfigurationError, match="proxy: expected a URL") as caught:
        AsyncVoucherify("id", "token", proxy=url)
    assert "p4ss" not in everything(caught.value)


def authorization_in(request: bytes) -> bytes:
    """What a request authorises itself with at the proxy."""
    (value,) = re.findall(rb"(?i)\r\nproxy-authorization: ([^\r]*)\r\n", request)
    return bytes(value)


def everything(error: BaseException | None) -> str:
    """An error, what is behind it, and the variables of our frames."""
    shown: list[str] = []
    while error is not None:
        shown += [repr(error), repr(error.args), repr(vars(error))]
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if is_own(frame):
                shown += [shown_as(value) for value in frame.f_locals.values()]
        error = error.__cause__ or error.__context__
    return "\n".join(shown)


def shown_as(value: object) -> str:
    """How an error tracker shows a value, also that of a client that was not made."""
    try:
        return repr(value)
    except AttributeError:
        return ""


async def test_plain_requests_go_through_one_kept_connection(
    http_backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy is told whole addresses and its credentials, over one connection."""
    proxy = Proxy()
    with serving(proxy.handle) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://{CREDENTIALS}@{address}")
        async with AsyncVoucherify(
            "id", "token", base_url="http://api.test", allow_http=True, http_backend=http_backend
        ) as client:
            for _ in range(3):
                assert (await client.vouchers.get("CODE")).code == "CODE"
    assert proxy.connections == 1
    assert len(proxy.requests) == 3
    for request in proxy.requests:
        assert request.startswith(b"GET http://api.test/v1/vouchers/CODE HTTP/1.1\r\n")
        assert authorization_in(request) == BASIC
        assert b"\r\nHost: api.test\r\n" in request


async def test_encrypted_requests_go_through_a_tunnel(
    http_backend: Any, server_tls: ssl.SSLContext, client_tls: bool
) -> None:
    """The proxy sees no more than the host; its credentials do not reach the API."""
    seen: list[bytes] = []

    def api(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(ok())

    with ExitStack() as stack:
        proxy = Proxy(stack.enter_context(serving(api, server_tls)))
        address = stack.enter_context(serving(proxy.handle))
        async with AsyncVoucherify(
            "id",
            "t0ken",
            base_url="https://api.test",
            proxy=f"http://{CREDENTIALS}@{address}",
            verify=client_tls,
            http_backend=http_backend,
        ) as client:
            for _ in range(3):
                assert (await client.vouchers.get("CODE")).code == "CODE"
    assert len(proxy.requests) == 1
    assert proxy.requests[0].startswith(b"CONNECT api.test:443 HTTP/1.1\r\n")
    assert authorization_in(proxy.requests[0]) == BASIC
    assert b"t0ken" not in proxy.requests[0]
    assert len(seen) == 3
    assert b"roxy-" not in b"".join(seen)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", 5),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", 5),
        (b"no HTTP\r\n\r\n", 5),
        (b"HTTP/1.1 200 OK\r\n\r\n", 0.1),
        (b"HTTP/1.1 2", 0.1),
    ],
)
async def test_a_tunnel_that_is_not_made_leaves_the_request_unsent(
    http_backend: Any, answer: bytes, seconds: float, client_tls: bool
) -> None:
    """Whatever the proxy says to CONNECT, the API got nothing; no text holds its password."""
    proxy = Proxy()
    proxy.refuse_with = answer
    with serving(proxy.handle) as address:
        async with AsyncVoucherify(
            "id",
            "token",
            base_url="https://api.test",
            proxy=f"http://user:p4ss@{address}",
            verify=client_tls,
            http_backend=http_backend,
            retry=None,
            timeout=seconds,
        ) as client:
            with pytest.raises(TransportError) as caught:
                await client.vouchers.update_balance("CARD", 500)
    assert caught.value.sent is False
    shown = everything(caught.value)
    assert "p4ss" not in shown
    assert base64.b64encode(b"user:p4ss").decode() not in shown


async def test_a_proxy_that_read_the_request_may_have_passed_it_on(http_backend: Any) -> None:
    """Of a plain request through a proxy it is not known whether the API got it."""

    def drop(connection: socket.socket) -> None:
        read_request(connection)

    with serving(drop) as address:
        async with AsyncVoucherify(
            "id",
            "token",
            base_url="http://api.test",
            allow_http=True,
            proxy=f"http://{address}",
            http_backend=http_backend,
        ) as client:
            with pytest.raises(AmbiguousOutcomeError):
                await client.vouchers.update_balance("CARD", 500)
        async with AsyncVoucherify(
            "id", "token", proxy="http://127.0.0.1:1", http_backend=http_backend, retry=None
        ) as client:
            with pytest.raises(ConnectError):
                await client.vouchers.update_balance("CARD", 500)


@pytest.mark.parametrize("tunnelled", [False, True])
async def test_cancelled_requests_lose_no_connection(
    http_backend: Any, server_tls: ssl.SSLContext, client_tls: bool, tunnelled: bool
) -> None:
    """After 200 requests, each cancelled at an instant of its own, 50 of 50 are answered."""
    chance = random.Random(5)
    answered: list[str | None] = []
    with ExitStack() as stack:
        proxy = Proxy(stack.enter_context(serving(serve_for_ever, server_tls)))
        address = stack.enter_context(serving(proxy.handle))
        async with AsyncVoucherify(
            "id",
            "token",
            base_url="https://api.test" if tunnelled else "http://api.test",
            allow_http=True,
            proxy=f"http://{address}",
            verify=client_tls,
            http_backend=http_backend,
            max_concurrency=5,
        ) as client:

            async def get(scope: anyio.CancelScope) -> None:
                with scope:
                    answered.append((await client.vouchers.get("CODE")).code)

            async with anyio.create_task_group() as group:
                for _ in range(200):
                    scope = anyio.CancelScope(deadline=anyio.current_time() + chance.random() * 0.2)
                    group.start_soon(get, scope)
            answered.clear()
            with anyio.fail_after(20):
                async with anyio.create_task_group() as group:
                    for _ in range(50):
                        group.start_soon(get, anyio.CancelScope())
    assert answered == ["CODE"] * 50


@pytest.mark.parametrize("backend", POOLED)
@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("userinfo", ["", f"{CREDENTIALS}@"])
async def test_socks(
    backend: Any,
    secured: bool,
    userinfo: str,
    server_tls: ssl.SSLContext,
    client_tls: bool,
) -> None:
    """SOCKS 5 goes the same way, with a name for the proxy to resolve."""
    with ExitStack() as stack:
        proxy = Proxy(stack.enter_context(serving(serve_for_ever, server_tls if secured else None)))
        address = stack.enter_context(serving(proxy.handle_socks))
        async with AsyncVoucherify(
            "id",
            "token",
            base_url=f"http{'s' * secured}://api.test",
            allow_http=True,
            proxy=f"socks5://{userinfo}{address}",
            verify=client_tls,
            http_backend=backend,
        ) as client:
            for _ in range(2):
                assert (await client.vouchers.get("CODE")).code == "CODE"
    assert proxy.connections == 1
    assert b"api.test" in proxy.requests[-1]
    if userinfo:
        assert proxy.requests[0] == b"\x01\x06us:er\x09p@ss/w0rd".replace(b"\x06", b"\x05")


@pytest.mark.parametrize("backend", POOLED)
@pytest.mark.parametrize(
    "answer", [b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00", b"\x05", b"HTTP/1.1 400\r\n\r\n"]
)
async def test_socks_that_is_refused_is_unsent(backend: Any, answer: bytes) -> None:
    """Before TLS nothing of the request is out."""
    proxy = Proxy()
    proxy.refuse_with = answer
    with serving(proxy.handle_socks) as address:
        async with AsyncVoucherify(
            "id",
            "token",
            base_url="https://api.test",
            proxy=f"socks5://{address}",
            retry=None,
            http_backend=backend,
        ) as client:
            with pytest.raises(ConnectError):
                await client.vouchers.update_balance("CARD", 500)


async def test_socks_needs_a_package(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the error says what to install; aiohttp does not speak SOCKS at all."""

    def missing(*_: object, **__: object) -> None:
        # As httpcore says it.
        raise RuntimeError("the `socksio` package is not installed")

    monkeypatch.setattr(httpcore, "AsyncSOCKSProxy", missing)
    with pytest.raises(ConfigurationError, match=r"voucherify-async\[socks\]"):
        async with AsyncVoucherify("id", "token", proxy="socks5://127.0.0.1:1") as client:
            await client.vouchers.get("CODE")
    with pytest.raises(ConfigurationError, match="does not speak SOCKS"):
        AsyncVoucherify("id", "token", proxy="socks5://127.0.0.1:1", http_backend="aiohttp")


def test_an_injected_client_has_settings_of_its_own() -> None:
    """What would be passed over in silence is refused."""
    http: Any = object()
    for more in ({"proxy": "http://proxy.test"}, {"verify": False}, {"cert": "x.pem"}):
        options: dict[str, Any] = {"http_client": http, **more}
        with pytest.raises(ConfigurationError, match="http_client"):
            AsyncVoucherify("id", "token", **options)

"""What watches HTTP by patching httpx sees our calls; where nothing does, they go past httpx."""

from __future__ import annotations

import functools
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import trustme

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, ConfigurationError

from .wire import ok, read_request, serve_for_ever, serving

pytestmark = pytest.mark.anyio

Watch = Callable[[pytest.MonkeyPatch, Any, list[str]], None]


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    """What is patched."""
    return request.param


@pytest.fixture
def backend(library: Any) -> Any:
    """What stands on it."""
    return "httpx2" if library is httpx2 else "httpcore"


class Wrapper:
    """Stands in for a function as wrapt's wrappers do, its code included."""

    def __init__(self, function: Any, seen: list[str]) -> None:
        functools.update_wrapper(self, function)
        self.__code__ = function.__code__
        self._function = function
        self._seen = seen

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return functools.partial(self.__call__, instance)

    async def __call__(self, instance: object, request: Any, **more: Any) -> Any:
        """Note the request, look at its body, mark it, and send it."""
        assert isinstance(request.content, bytes)
        self._seen.append(f"{request.method} {request.url}")
        request.headers["traceparent"] = "00-1-2-01"
        return await self._function(instance, request, **more)


def by_function(monkeypatch: pytest.MonkeyPatch, library: Any, seen: list[str]) -> None:
    """A function in the place of `send`, as Sentry's integrations have it."""
    original = library.AsyncClient.send

    @functools.wraps(original)
    async def send(client: Any, request: Any, **more: Any) -> Any:
        return await Wrapper(original, seen)(client, request, **more)

    monkeypatch.setattr(library.AsyncClient, "send", send)


def by_wrapper(monkeypatch: pytest.MonkeyPatch, library: Any, seen: list[str]) -> None:
    """A wrapper that is no function in the place of `send`."""
    monkeypatch.setattr(library.AsyncClient, "send", Wrapper(library.AsyncClient.send, seen))


def by_subclass(monkeypatch: pytest.MonkeyPatch, library: Any, seen: list[str]) -> None:
    """A class of its own in the place of httpx's."""
    original = library.AsyncClient.send

    class Client(library.AsyncClient):  # type: ignore[misc, name-defined, unused-ignore]
        async def send(self, request: Any, **more: Any) -> Any:
            return await Wrapper(original, seen)(self, request, **more)

    monkeypatch.setattr(library, "AsyncClient", Client)


def at_the_transport(monkeypatch: pytest.MonkeyPatch, library: Any, seen: list[str]) -> None:
    """A wrapper in the place of the transport's method, as OpenTelemetry's has it."""
    transport = library.AsyncHTTPTransport
    wrapper = Wrapper(transport.handle_async_request, seen)
    monkeypatch.setattr(transport, "handle_async_request", wrapper)


WAYS: list[Watch] = [by_function, by_wrapper, by_subclass, at_the_transport]


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("watch", WAYS)
async def test_what_watches_sees_each_attempt(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    library: Any,
    backend: Any,
    watch: Watch,
    is_late: bool,
) -> None:
    """It is told once a request, its header goes out, and no log tells the address."""
    caplog.set_level(logging.INFO)
    seen: list[str] = []
    received: list[bytes] = []

    def handle(connection: Any) -> None:
        while request := read_request(connection):
            received.append(request)
            connection.sendall(ok())

    if not is_late:
        watch(monkeypatch, library, seen)
    with serving(handle) as address:
        async with AsyncVoucherify(
            "id", "token", base_url=f"http://{address}", http_backend=backend
        ) as client:
            await client.vouchers.get("CODE")
            if is_late:
                watch(monkeypatch, library, seen)
            await client.vouchers.get("CODE")
            await client.vouchers.enable("CODE")
    expected = [f"GET http://{address}/v1/vouchers/CODE"] * (1 if is_late else 2)
    assert seen == [*expected, f"POST http://{address}/v1/vouchers/CODE/enable"]
    assert all(b"00-1-2-01" in request for request in received[is_late:])
    assert "CODE" not in caplog.text


@pytest.mark.parametrize("watch", WAYS)
async def test_what_is_watched_is_as_careful(
    monkeypatch: pytest.MonkeyPatch, library: Any, backend: Any, watch: Watch
) -> None:
    """A write without an answer is sent once, and told as one that may have happened."""
    watch(monkeypatch, library, [])
    requests = 0

    def handle(connection: Any) -> None:
        nonlocal requests
        requests += bool(read_request(connection))

    with serving(handle) as address:
        async with AsyncVoucherify(
            "id", "token", base_url=f"http://{address}", http_backend=backend
        ) as client:
            with pytest.raises(AmbiguousOutcomeError):
                await client.vouchers.update_balance("CARD", 5)
    assert requests == 1


async def test_where_nothing_watches_httpx_is_passed_by(
    monkeypatch: pytest.MonkeyPatch, library: Any, backend: Any
) -> None:
    """No request object of httpx is made."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(library.Request, "__init__", refuse)
    with serving(serve_for_ever) as address:
        async with AsyncVoucherify(
            "id", "token", base_url=f"http://{address}", http_backend=backend
        ) as client:
            assert (await client.vouchers.get("CODE")).code == "CODE"


async def test_a_client_shows_its_certificate(
    http_backend: Any,
    authority: trustme.CA,
    server_tls: ssl.SSLContext,
    client_tls: bool,
    tmp_path: Path,
) -> None:
    """`verify` takes a path, `cert` one or two; what cannot be read is told at once, by name."""
    server_tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server_tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    shown = authority.issue_cert("the-client")
    shown.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    shown.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    shown.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    with serving(serve_for_ever, server_tls) as address:
        for cert in (
            str(tmp_path / "both.pem"),
            (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")),
        ):
            async with AsyncVoucherify(
                "id",
                "token",
                base_url=f"https://{address}",
                # One file alone is what pyreqwest cannot be held to.
                verify=client_tls if http_backend == "pyreqwest" else tmp_path / "ca.pem",
                cert=cert,
                http_backend=http_backend,
            ) as client:
                assert (await client.vouchers.get("CODE")).code == "CODE"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"verify": "/nowhere.pem"}, "verify"),
        ({"verify": None}, "verify"),
        ({"verify": 5}, "verify"),
        ({"cert": "/nowhere.pem"}, "cert"),
        ({"cert": ("/nowhere.pem", "/nowhere.key", "p4ss")}, "cert"),
        ({"cert": 5.5}, "cert"),
        ({"http_backend": "requests"}, "http_backend"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told_at_once(options: Any, named: str) -> None:
    """By its name, and without a password."""
    with pytest.raises(ConfigurationError, match=f"^{named}:") as caught:
        AsyncVoucherify("id", "token", **options)
    assert "p4ss" not in repr(caught.value)

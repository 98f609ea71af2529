"""What stands between the client and Voucherify: TLS, a proxy of the environment, tracing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
import trustme
import uvicorn
from anyio.abc import SocketAttribute, SocketStream

from voucherify_async import AsyncVoucherify, ConnectError
from voucherify_async.testing import FakeVoucherify

from .backends import POOLED

pytestmark = pytest.mark.anyio


class _TlsServer(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Leave the signals to the test run."""


@contextmanager
def served_over_tls(fake: FakeVoucherify, authority: trustme.CA, folder: Path) -> Iterator[str]:
    """Serve the embedded server over TLS, with a certificate of that authority."""
    pem = folder / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    config = uvicorn.Config(fake.app, port=0, log_config=None, lifespan="off", ssl_certfile=pem)
    server = _TlsServer(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"https://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def fake() -> FakeVoucherify:
    """A server with one voucher."""
    fake = FakeVoucherify()
    fake.add_voucher(code="CODE")
    return fake


async def test_tls_with_the_authorities_of_the_environment(
    http_backend: Any, fake: FakeVoucherify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's certificate is checked against SSL_CERT_FILE, and the connection is kept."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with served_over_tls(fake, authority, tmp_path) as url:
        async with AsyncVoucherify(
            "id", "token", base_url=url, http_backend=http_backend
        ) as client:
            for _ in range(3):
                assert (await client.vouchers.get("CODE")).code == "CODE"


async def test_an_unknown_authority_is_refused(
    http_backend: Any, fake: FakeVoucherify, tmp_path: Path
) -> None:
    """A certificate that nobody vouches for ends the call before the credentials are sent."""
    with served_over_tls(fake, trustme.CA(), tmp_path) as url:
        async with AsyncVoucherify(
            "id", "token", base_url=url, retry=None, http_backend=http_backend
        ) as client:
            with pytest.raises(ConnectError, match=r"(?i)certificate"):
                await client.vouchers.get("CODE")
    assert not fake.requests


async def test_a_proxy_of_the_environment_is_used(
    http_backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With HTTP_PROXY set, requests go to the proxy, which is told the whole address."""
    seen: list[bytes] = []

    async def answer(stream: SocketStream) -> None:
        async with stream:
            seen.append(await stream.receive())
            body = b'{"code": "CODE"}'
            await stream.send(
                b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
                % (len(body), body)
            )

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, answer)
        async with AsyncVoucherify(
            "id",
            "token",
            base_url="http://voucherify.test",
            allow_http=True,
            http_backend=http_backend,
        ) as client:
            assert (await client.vouchers.get("CODE")).code == "CODE"
        group.cancel_scope.cancel()
    assert seen[0].startswith(b"GET http://voucherify.test/v1/vouchers/CODE HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("backend", "library"), [("httpcore", httpx), ("httpx2", httpx2)], ids=POOLED
)
@pytest.mark.parametrize("stands_in", [False, True])
async def test_what_hooks_into_httpx_may_read_the_answer(
    fake: FakeVoucherify,
    monkeypatch: pytest.MonkeyPatch,
    backend: Any,
    library: Any,
    *,
    stands_in: bool,
) -> None:
    """A recorder that reads the body before us, or answers in the server's place, is passed."""
    original = library.AsyncHTTPTransport.handle_async_request
    bodies: list[bytes] = []

    async def wrapped(transport: Any, request: Any) -> Any:
        response = await original(transport, request)
        bodies.append(await response.aread())
        return library.Response(200, content=bodies[-1]) if stands_in else response

    monkeypatch.setattr(library.AsyncHTTPTransport, "handle_async_request", wrapped)
    with fake.serve() as url:
        async with AsyncVoucherify("id", "token", base_url=url, http_backend=backend) as client:
            for _ in range(2):
                assert (await client.vouchers.get("CODE")).code == "CODE"
    assert len(bodies) == 2

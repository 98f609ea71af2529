"""Each backend of our own, and certificates."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import trustme

BACKENDS = ("httpcore", "aiohttp")


@pytest.fixture(params=BACKENDS)
def http_backend(request: pytest.FixtureRequest, anyio_backend: str) -> Any:
    """Each HTTP stack of our own, on the event loops that it runs on."""
    if (request.param, anyio_backend) == ("aiohttp", "trio"):
        pytest.skip("aiohttp runs on asyncio only")
    return request.param


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority that the clients believe."""
    return trustme.CA()


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """What believes it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", "api.test").configure_cert(context)
    return context

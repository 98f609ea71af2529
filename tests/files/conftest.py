from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from voucherify_async import AsyncVoucherify

from ..bulk.conftest import Skipping

Connect = Callable[..., AsyncVoucherify]


@pytest.fixture
def connect(http_backend: Any) -> Connect:
    """Makes clients that wait for nothing."""

    def make(base_url: str, **options: object) -> AsyncVoucherify:
        settings: dict[str, object] = {"clock": Skipping(), "http_backend": http_backend, **options}
        return AsyncVoucherify("the-id", "the-token", base_url=base_url, **settings)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who vouches for the servers of these tests."""
    return trustme.CA()


@pytest.fixture
def tls(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext:
    """What a server speaks TLS with that clients of this test trust."""
    pem = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context

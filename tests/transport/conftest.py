"""Certificates."""

from __future__ import annotations

import ssl

import pytest
import trustme


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority that the clients believe."""
    return trustme.CA()


@pytest.fixture
def client_tls(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """What believes it, as `verify`: the environment, which every backend goes by."""
    pem = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return True


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", "api.test").configure_cert(context)
    return context

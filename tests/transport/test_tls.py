"""Which certificates are believed: those that the caller, the environment or the system names."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from voucherify_async import AsyncVoucherify, ConfigurationError, ConnectError, TransportError
from voucherify_async._transport import tls

from .wire import serve_for_ever, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(server_tls: ssl.SSLContext) -> Iterator[str]:
    """Where a server of the authority is."""
    with serving(serve_for_ever, server_tls) as address:
        yield f"https://{address}"


@pytest.fixture(autouse=True)
def no_authorities_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test names is believed."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


async def looked_up(url: str, http_backend: Any, **options: Any) -> str:
    """The code that a lookup over TLS brings."""
    async with AsyncVoucherify(
        "id", "token", base_url=url, http_backend=http_backend, retry=None, **options
    ) as client:
        return (await client.vouchers.get("CODE")).code


@pytest.fixture
def pem(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority in a file."""
    (tmp_path / "authorities").mkdir()
    pem = tmp_path / "authorities" / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    return pem


@pytest.fixture(params=["file", "folder", "context", "nothing"])
def believed(request: pytest.FixtureRequest, pem: Path, authority: trustme.CA) -> Any:
    """The authority in every form that `verify` takes."""
    if request.param == "folder":
        if shutil.which("openssl") is None:
            pytest.skip("the command openssl, which names the files of the folder, is not there")
        subprocess.run(["openssl", "rehash", str(pem.parent)], check=True)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    forms = {"file": str(pem), "folder": pem.parent, "context": context, "nothing": False}
    return forms[request.param]


async def test_verify_names_what_is_believed(http_backend: Any, url: str, believed: Any) -> None:
    """A file, a folder or a context of authorities lets the server in, and so does False."""
    if http_backend == "pyreqwest" and believed is not False:
        with pytest.raises(ConfigurationError, match=r"verify: .*pyreqwest"):
            await looked_up(url, http_backend, verify=believed)
    else:
        assert await looked_up(url, http_backend, verify=believed) == "CODE"


@pytest.mark.parametrize("verify", [True, ssl.create_default_context()], ids=["default", "context"])
async def test_a_server_that_nobody_vouches_for_is_refused(
    http_backend: Any, url: str, verify: Any
) -> None:
    """Without its authority nothing is sent, whatever stands in the place of the default."""
    if http_backend == "pyreqwest" and verify is not True:
        pytest.skip("pyreqwest takes no context")
    with pytest.raises(ConnectError, match=r"(?i)certificate"):
        await looked_up(url, http_backend, verify=verify)


class System:
    """A system that believes the authority, and the package truststore on it."""

    def __init__(self, authority: trustme.CA) -> None:
        self.authority = authority
        self.reads: list[str] = []

    def SSLContext(self, protocol: int) -> ssl.SSLContext:  # noqa: N802 - the package's name
        """A context over its store."""
        self.reads.append("store")
        context = ssl.SSLContext(protocol)
        self.authority.configure_trust(context)
        return context

    def load(self, context: ssl.SSLContext) -> None:
        """Put the authorities of its files into a context."""
        self.reads.append("files")
        self.authority.configure_trust(context)


@pytest.fixture
def system(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> System:
    """It keeps them in files, and truststore is installed."""
    made = System(authority)
    monkeypatch.setitem(sys.modules, "truststore", made)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda it, *_: made.load(it))
    monkeypatch.setattr(tls, "_HAS_STORE", False)
    monkeypatch.setattr(tls, "has_system_authorities", lambda: True)
    return made


@pytest.mark.parametrize("kept_in", ["files", "store", "files of another place"])
async def test_the_systems_authorities_are_believed(
    http_backend: Any, url: str, system: System, kept_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With truststore, what the system believes is believed; files are read once a client.

    truststore itself would read them in each handshake; it is asked where there is a store, or
    where the files are not in the place that OpenSSL knows.
    """
    if http_backend == "pyreqwest":
        pytest.skip("pyreqwest reads the system's by itself, and they are not ours to change")
    monkeypatch.setattr(tls, "_HAS_STORE", kept_in == "store")
    monkeypatch.setattr(tls, "has_system_authorities", lambda: kept_in == "files")
    assert await looked_up(url, http_backend) == "CODE"
    assert system.reads == ["files" if kept_in == "files" else "store"]


def test_an_empty_folder_holds_no_authorities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without its package of certificates may still have their folder."""
    monkeypatch.setattr(tls, "_HAS_STORE", False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert not tls.has_system_authorities()
    (tmp_path / "0a775a30.0").touch()
    assert tls.has_system_authorities()


async def test_the_environment_goes_before_the_system(
    http_backend: Any,
    url: str,
    system: System,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With SSL_CERT_FILE set, its authorities alone are believed."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    with pytest.raises(ConnectError, match=r"(?i)certificate"):
        await looked_up(url, http_backend)
    assert system.reads == []


async def test_a_key_may_have_a_password(
    http_backend: Any,
    url: str,
    authority: trustme.CA,
    server_tls: ssl.SSLContext,
    pem: Path,
    tmp_path: Path,
) -> None:
    """`cert` takes the certificate, its locked key and the password; a server may insist on one."""
    server_tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server_tls)
    shown = authority.issue_cert("the-client")
    shown.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    key = load_pem_private_key(shown.private_key_pem.bytes(), None)
    lock = BestAvailableEncryption(b"p4ss")
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    (tmp_path / "key.pem").write_bytes(locked)
    cert = (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"), "p4ss")
    if http_backend == "pyreqwest":
        with pytest.raises(ConfigurationError, match=r"cert: .*password"):
            await looked_up(url, http_backend, cert=cert)
        return
    assert await looked_up(url, http_backend, verify=pem, cert=cert) == "CODE"
    with pytest.raises(TransportError):
        await looked_up(url, http_backend, verify=pem)

"""Which certificates are believed, and which one is shown."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..errors import ConfigurationError
from .stack import httpx_of

Verify = bool | str | os.PathLike[str] | ssl.SSLContext
"""What servers' certificates are checked against."""
_HAS_STORE: Final = sys.platform in {"darwin", "win32"}
"""Whether the system keeps its authorities in a store of its own, and not in files."""
Certificate = str | os.PathLike[str] | tuple[str, str] | tuple[str, str, str]
"""A client's certificate: a file that holds it and its key, or both files, and the password."""


def ssl_context_maker(verify: Any, cert: Any) -> Callable[[], ssl.SSLContext]:
    """What makes the TLS context.

    The default one is made when it is first needed, since reading the certificates takes
    milliseconds; what the caller named is read at once, so that a mistake is told at once.

    Raises:
        ConfigurationError: A file cannot be read, or a value makes no sense.
    """
    if verify is True and cert is None:
        return default_context
    made: ssl.SSLContext | None = None
    fault = "expected True, False, a path or an ssl.SSLContext"
    try:
        made = _verifying(verify)
    except (OSError, ssl.SSLError) as error:
        fault = f"the certificates cannot be read: {error}"
    if made is None:
        raise ConfigurationError(f"verify: {fault}")
    _show(cert, made)
    return lambda: made


def default_context() -> ssl.SSLContext:
    """The authorities of `SSL_CERT_FILE` or `SSL_CERT_DIR`; else the system's.

    Where truststore is not installed, those of the package certifi.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        return ssl.create_default_context(capath=folder)
    try:
        import truststore
    except ImportError:
        made: ssl.SSLContext = httpx_of("httpcore").create_ssl_context()
        return made
    if _HAS_STORE or not has_system_authorities():
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Where they are in files truststore reads them anew in each handshake, which holds everything
    # up for some 20 ms.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


def has_system_authorities() -> bool:
    """Whether the system, or the environment, names certificates to believe."""
    paths = ssl.get_default_verify_paths()
    return (
        _HAS_STORE
        or paths.cafile is not None
        or (paths.capath is not None and any(Path(paths.capath).iterdir()))
    )


def identity_reader(cert: Certificate | None) -> Callable[[], bytes] | None:
    """What reads a client's certificate with its key, which no password protects."""
    if cert is None:
        return None
    files = cert if isinstance(cert, tuple) else (cert,)
    return lambda: b"\n".join(Path(file).read_bytes() for file in files)


def _verifying(verify: Any) -> ssl.SSLContext | None:
    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, bool):
        return default_context() if verify else _trusting_context()
    if not isinstance(verify, (str, os.PathLike)):
        return None
    where: str | os.PathLike[str] = verify
    if Path(where).is_dir():
        return ssl.create_default_context(capath=where)
    return ssl.create_default_context(cafile=where)


def _trusting_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _show(cert: Any, context: ssl.SSLContext) -> None:
    if cert is None:
        return
    fault: str | None = None
    try:
        context.load_cert_chain(*(cert if isinstance(cert, tuple) else (cert,)))
    except (OSError, ssl.SSLError) as error:
        fault = f"cannot be read: {error}"
    except TypeError:
        fault = "expected a path, or a tuple of certificate, key and password"
    if fault:
        # Out here, and not with its value, which may hold the key's password.
        del cert
        raise ConfigurationError(f"cert: {fault}")

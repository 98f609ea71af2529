"""What aiohttp's errors say, in our own classes and words."""

from __future__ import annotations

import os

import aiohttp

from .. import errors
from ..errors import TransportError


class WriteTimedOutError(TimeoutError):
    """The other side did not take the request in time."""


def error_class(error: Exception, *, is_begun: bool) -> type[TransportError]:
    """Our class for an error of aiohttp's; `is_begun` is whether any of the request was written."""
    if isinstance(error, TimeoutError):
        written = errors.WriteTimeout if isinstance(error, WriteTimedOutError) else None
        return written or (errors.ReadTimeout if is_begun else errors.ConnectTimeout)
    if not is_begun:
        return errors.ConnectError
    if isinstance(error, aiohttp.ClientResponseError):
        return errors.ProtocolError
    return errors.ReadError


def reason_of(error: Exception) -> str:
    """What an error says, without the address."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status}"
    if isinstance(error, (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        number = error.args[0] if error.args else None
        if not isinstance(error, aiohttp.ClientConnectorError):
            why = f": {os.strerror(number)}" if isinstance(number, int) else ""
            return f"the connection broke{why}"
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if isinstance(inner, aiohttp.ClientPayloadError):
        # Of ours, or about the answer's bytes.
        return str(inner) or "the connection broke"
    if isinstance(inner, OSError) and not isinstance(inner, TimeoutError):
        return str(inner) if inner is not error else os.strerror(inner.errno or 0)
    return type(error).__name__

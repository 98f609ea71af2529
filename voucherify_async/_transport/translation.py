"""Our errors for those of whatever HTTP client there is, without the secrets that those hold.

It goes by names and not by classes: an injected client may be httpx's, that of its successor, or an
instrumented one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from .. import errors
from ..errors import TransportError
from .unpacking import TooLargeError, UnpackingError

_STUCK: Final = (
    "The http_client that was passed in has no free connection. Give it a pool of at least "
    "max_concurrency connections (httpx.Limits). If it stays so with little to do, it has lost "
    "connections to cancelled requests, as httpx does: replace it, or leave http_client out, as "
    "this library's own pool loses none"
)
_TRANSPORT_ERRORS: Final[Mapping[str, type[TransportError]]] = {
    "ConnectTimeout": errors.ConnectTimeout,
    "PoolTimeout": errors.PoolTimeout,
    "ReadTimeout": errors.ReadTimeout,
    "WriteTimeout": errors.WriteTimeout,
    "TimeoutException": errors.TimeoutError,
    "ConnectError": errors.ConnectError,
    "ProxyError": errors.ConnectError,
    "UnsupportedProtocol": errors.ConnectError,
    "ReadError": errors.ReadError,
    "WriteError": errors.WriteError,
    "CloseError": errors.ReadError,
    "ProtocolError": errors.ProtocolError,
    "DecodingError": errors.ProtocolError,
    "StreamError": errors.ProtocolError,
    "TransportError": errors.TransportError,
    "RequestError": errors.TransportError,
}

# What bears out that nothing was sent, by the class of the error under the HTTP client's.
_UNSENT_CAUSES: Final[Mapping[str, type[TransportError]]] = {
    # httpcore's
    "ConnectError": errors.ConnectError,
    "ConnectTimeout": errors.ConnectTimeout,
    "PoolTimeout": errors.PoolTimeout,
    "ProxyError": errors.ConnectError,
    "UnsupportedProtocol": errors.ConnectError,
    # aiohttp's
    "ClientConnectorError": errors.ConnectError,
    "ClientConnectorDNSError": errors.ConnectError,
    "ClientConnectorSSLError": errors.ConnectError,
    "ClientConnectorCertificateError": errors.ConnectError,
    "ClientProxyConnectionError": errors.ConnectError,
    "ConnectionTimeoutError": errors.ConnectTimeout,
    "InvalidUrlClientError": errors.ConnectError,
    "NonHttpUrlClientError": errors.ConnectError,
}


def translate(
    error: Exception, *, method: str, template: str, url: str = ""
) -> TransportError | None:
    """Our error for one of an HTTP client; None for what is not an error of the transport.

    It goes by class names, which httpx, its successor and instrumented clients share. `url` is the
    address of the request, which no text is to quote.
    """
    where = f"{method} {template}: "
    plain = _plain(error)
    if plain is not None:
        cls, text = plain
        return cls(f"{where}{text}", method=method, path=template)
    for base in type(error).__mro__:
        found = _TRANSPORT_ERRORS.get(base.__name__)
        if found is not None and base.__module__.startswith(("httpx", "httpcore")):
            from_httpx = base.__module__.startswith("httpx")
            if not found.sent and from_httpx and error.__cause__ is not None:
                # aiohttp's adapter calls every broken connection a connect timeout, also one that
                # broke after the request was written: taken at its word, it would have money
                # moved twice.
                found = _UNSENT_CAUSES.get(type(error.__cause__).__name__, errors.ReadError)
            text = _text(error)
            if _quotes_request(error) or _quotes(text, url):
                text = type(error).__name__
            elif found is errors.PoolTimeout:
                text = f"{text}. {_STUCK}"
            return found(f"{where}{text}", method=method, path=template)
        if base.__name__ == "ClientError" and base.__module__.partition(".")[0] == "aiohttp":
            # One that the adapter lets through. Its text and its arguments may hold the request.
            text = f"{type(error).__name__}: the answer cannot be read"
            return errors.ProtocolError(
                f"{method} {template}: {text}", method=method, path=template
            )
    return None


def _plain(error: Exception) -> tuple[type[TransportError], str] | None:
    """Our class and words for an error that is not an HTTP client's."""
    match error:
        case TooLargeError():
            return errors.AnswerTooLargeError, str(error)
        case UnpackingError():
            return errors.ProtocolError, str(error)
        case UnicodeError():
            # Of a host's name, before anything is sent.
            return errors.ConnectError, "the host has no valid name"
        case OSError():
            # httpx lets those of TLS through, which may come after the request.
            return errors.ReadError, error.strerror or type(error).__name__
    return None


def _quotes_request(error: BaseException) -> bool:
    # Illegal headers and addresses are quoted in these, and with them keys and codes.
    return any(base.__name__ == "LocalProtocolError" for base in type(error).__mro__)


def _quotes(text: str, url: str) -> bool:
    path = urlsplit(url).path if url else ""
    return len(path) > 1 and (path in text or unquote(path) in text)


def detached_cause(error: BaseException, url: str = "") -> BaseException | None:
    """What stood behind an error, unless it holds more than its text, such as the request."""
    cause = None if _quotes_request(error) else error.__cause__
    links = [cause]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        if vars(link) or _quotes(str(link), url):
            return None
        seen.add(id(link))
        # Its frames hold the request too.
        link.__traceback__ = None
        links += [link.__cause__, link.__context__]
    return cause


def _text(error: BaseException) -> str:
    """What the error says, or what it was raised from where it says nothing."""
    said: BaseException | None = error
    while said is not None:
        if str(said):
            return str(said)
        said = said.__cause__ or said.__context__
    return type(error).__name__

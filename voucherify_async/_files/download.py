"""Export files: streamed, and signed only where the credentials belong."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import anyio
from attrs import frozen

from .._calls.caller import Caller
from .._protocol import answers
from .._protocol.answers import Answer
from .._transport.exchange import StreamedAnswer
from ..errors import InvalidArgumentError
from .atomic import replacing_async

_OWN_DOMAIN = ".voucherify.io"
_PORTS = {"https": 443, "http": 80}


@frozen
class Piece:
    """Some bytes of a file, and where in it they belong."""

    offset: int
    content: bytes


def is_trusted(url: str, base_url: str) -> bool:
    """Whether the credentials of an API may go to a URL: its own origin, or its download host.

    The download host of `us1.api.voucherify.io` is `us1.download.voucherify.io`.
    """
    base = urlsplit(base_url)
    try:
        target = urlsplit(url)
        if _origin(target) == _origin(base):
            return True
    except ValueError:
        return False
    host = base.hostname or ""
    if target.scheme != "https" or not host.endswith(_OWN_DOMAIN):
        return False
    labels = ["download" if label == "api" else label for label in host.split(".")]
    return _origin(target) == ("https", ".".join(labels), 443)


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    port = _PORTS.get(url.scheme) if url.port is None else url.port
    return url.scheme, url.hostname or "", port


@asynccontextmanager
async def opened(
    caller: Caller, url: str, headers: Mapping[str, str]
) -> AsyncIterator[StreamedAnswer]:
    """Open a download as an answer whose body was not read.

    Raises:
        InvalidArgumentError: It is no http(s) URL.
        APIError: It was refused.
        TransportError: It broke off.
    """
    if not _is_address(url):
        raise InvalidArgumentError("export: the address of its file is no http(s) URL")
    sign = is_trusted(url, caller.settings.base_url)
    async with caller.open(url, {"Accept": "text/csv, */*", **headers}, sign=sign) as response:
        if response.status_code >= 300:
            await _refuse(response, caller)
        yield response


def _is_address(url: str) -> bool:
    try:
        # Reading the port checks it.
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and parts.scheme in _PORTS and url.isprintable() and " " not in url


async def _refuse(response: StreamedAnswer, caller: Caller) -> None:
    answer = Answer(response.status_code, response.headers, await response.read())
    raise answers.error_from(answer, caller.settings.clock.time())


async def write(pieces: AsyncGenerator[Piece, None], to: Path) -> Path:
    """Write a stream to a file that appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    position = 0
    async with replacing_async(to) as opened_file, aclosing(pieces):
        file = anyio.wrap_file(opened_file)
        async for piece in pieces:
            if piece.offset != position:
                await file.seek(piece.offset)
                await file.truncate()
            await file.write(piece.content)
            position = piece.offset + len(piece.content)
    return to

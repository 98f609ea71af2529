"""One request, once, over whichever HTTP client there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
from attrs import field, frozen

from .._protocol.answers import Answer
from ..errors import TransportError
from .translation import detached_cause, translate


@frozen
class Outgoing:
    """One request as it goes out, signed and complete."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)
    files: Mapping[str, Any] | None = field(repr=False)
    timeout: Any
    template: str


class HttpSender(Protocol):
    """What turns a request into an answer that is still open."""

    client: Any

    async def open(self, request: Outgoing) -> Any:
        """Send, and return a response of httpx's shape whose body was not read."""
        ...

    async def read(self, response: Any) -> bytes:
        """Read the body to its end and close the response."""
        ...


@asynccontextmanager
async def opened(sender: HttpSender, request: Outgoing) -> AsyncIterator[Any]:
    """One response of httpx's shape, open for as long as the block runs.

    Raises:
        TransportError: No answer came, or it broke off. It carries no request and no secret.
    """
    response: Any = None
    try:
        response = await sender.open(request)
        try:
            yield response
        finally:
            await _close(response)
    except Exception as error:
        failure, cause = _translated(error, request)
        if failure is None:
            raise
        failure.status_code = getattr(response, "status_code", None)
    else:
        return
    # Raised out here, so that the HTTP client's error, which holds the request with its
    # credentials, is not dragged along as context.
    raise failure from cause


async def exchange(sender: HttpSender, request: Outgoing) -> Answer:
    """Send one request and read its answer to the end.

    Raises:
        TransportError: No answer came, or it broke off.
    """
    # What `opened` does, without its cost on the way that everything goes.
    response: Any = None
    try:
        response = await sender.open(request)
        try:
            content = await sender.read(response)
        except BaseException:
            await _close(response)
            raise
    except Exception as error:
        failure, cause = _translated(error, request)
        if failure is None:
            raise
        failure.status_code = getattr(response, "status_code", None)
    else:
        return Answer(response.status_code, header_map(response), content)
    raise failure from cause


async def _close(response: Any) -> None:
    # The connection has to be given back or closed, also while the caller is being cancelled.
    with anyio.CancelScope(shield=True):
        await response.aclose()


def header_map(response: Any) -> dict[str, str]:
    """The headers of a response, names in lower case."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in response.headers.raw
    }


def _translated(
    error: Exception, request: Outgoing
) -> tuple[TransportError | None, BaseException | None]:
    translated = translate(error, method=request.method, template=request.template)
    return translated, detached_cause(error)

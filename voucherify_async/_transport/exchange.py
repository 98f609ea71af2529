"""What sends requests, whatever HTTP library stands behind it: one request, once."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from attrs import field, frozen

from .._protocol.answers import Answer
from .._protocol.headers import SignedHeaders
from ..errors import TimeoutError as OwnTimeoutError


def _steps(timeout: Any) -> Any:
    """Seconds as they are; an `httpx.Timeout`, of whichever httpx, as connect, read, write, pool.

    An injected client of another httpx takes those, but not the other's class.
    """
    if not isinstance(timeout, (float, int)) and hasattr(timeout, "connect"):
        return (timeout.connect, timeout.read, timeout.write, timeout.pool)
    return timeout


@frozen
class Outgoing:
    """One request as it goes out, signed and complete."""

    method: str
    url: str
    headers: SignedHeaders
    content: bytes | None = field(repr=False)
    files: Mapping[str, Any] | None = field(repr=False)
    timeout: Any = field(converter=_steps)
    template: str


class OverdueError(OwnTimeoutError):
    """A request was not done within the time that it was given as a whole."""


class StreamedAnswer(Protocol):
    """An answer whose body is still to be read."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case."""
        ...

    @property
    def is_delimited(self) -> bool:
        """Whether the answer says where its body ends (a length, or chunks).

        Of any other the end of the connection is the end, which a connection that broke looks like.
        """
        ...

    def iter_bytes(self) -> AsyncGenerator[bytes, None]:
        """The body, unpacked, piece by piece.

        Raises:
            TransportError: It broke off.
        """
        ...

    async def read(self) -> bytes:
        """The whole body, unpacked.

        Raises:
            TransportError: It broke off.
        """
        ...


class Sender(Protocol):
    """Sends requests, once each: no redirect, repetition or cookie.

    Each backend translates its library's errors to `TransportError`, whose `sent` is False only
    where the request surely did not reach the other side whole.
    """

    async def exchange(self, request: Outgoing, within: float = math.inf) -> Answer:
        """Send a request and read its answer to the end.

        Args:
            request: The request.
            within: Seconds for all of it.

        Raises:
            OverdueError: It took longer.
            TransportError: No answer came, or it broke off. It carries no request and no secret.
        """
        ...

    def open(self, request: Outgoing) -> AbstractAsyncContextManager[StreamedAnswer]:
        """Send a request and leave the body of its answer to be read, while the block runs.

        Raises:
            TransportError: No answer came, or it broke off. It carries no request and no secret.
        """
        ...

    async def distrust(self) -> None:
        """Use no connection again that was open until now: an answer did not fit its request.

        Of a client that was passed in the connections are not ours, and nothing happens.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection of our own; requests that are under way end with an error."""
        ...

"""Senders whose responses have httpx's shape: httpx's own, its successor's, instrumented ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from .._protocol.answers import Answer
from ..errors import TransportError
from .exchange import Outgoing
from .translation import detached_cause, translate


class HttpxShapedSender(ABC):
    """Exchanges requests for responses of httpx's shape."""

    @abstractmethod
    async def _send(self, request: Outgoing) -> Any:
        """Send, and return the response, whose body was not read."""

    @abstractmethod
    async def distrust(self) -> None:
        """Use no connection again that was open until now."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close what is our own."""

    async def exchange(self, request: Outgoing) -> Answer:
        """Send a request and read its answer to the end."""
        # What `open` does, without its cost on the way that everything goes.
        response: Any = None
        try:
            response = await self._send(request)
            try:
                content = await self._read(response)
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
        # Raised out here, so that the HTTP client's error, which holds the request with its
        # credentials, is not dragged along as context.
        raise failure from cause

    @asynccontextmanager
    async def open(self, request: Outgoing) -> AsyncIterator[HttpxShapedAnswer]:
        """Send a request and leave the body of its answer to be read, while the block runs."""
        response: Any = None
        try:
            response = await self._send(request)
            try:
                yield HttpxShapedAnswer(response)
            finally:
                await _close(response)
        except Exception as error:
            failure, cause = _translated(error, request)
            if failure is None:
                raise
            failure.status_code = getattr(response, "status_code", None)
        else:
            return
        raise failure from cause

    async def _read(self, response: Any) -> bytes:
        content: bytes = await response.aread()
        return content


class HttpxShapedAnswer:
    """An answer whose body is still to be read; the sender's block translates its errors."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.status_code: int = response.status_code
        self.headers = header_map(response)

    @property
    def is_delimited(self) -> bool:
        """Whether the answer says where its body ends."""
        return "content-length" in self.headers or "transfer-encoding" in self.headers

    def iter_bytes(self) -> AsyncGenerator[bytes, None]:
        """The body, unpacked, piece by piece."""
        pieces: AsyncGenerator[bytes, None] = self._response.aiter_bytes()
        return pieces

    async def read(self) -> bytes:
        """The whole body, unpacked."""
        content: bytes = await self._response.aread()
        return content


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

"""What all backends share: answers are read within a limit, and errors become our own."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
)
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, cast

import anyio

from .._concurrency.leaving import leaving
from .._protocol.answers import Answer
from ..errors import TimeoutError as OwnTimeoutError
from ..errors import TransportError
from .exchange import Outgoing, OverdueError
from .passage import Passage
from .stack import httpx_of
from .translation import detached_cause, translate
from .unpacking import read_whole, unpacked

_UNBOUND: Final = nullcontext()


class Attempt:
    """What is known of a request that was sent once."""

    __slots__ = ("ends_at", "is_answered", "is_streamed", "passage")

    def __init__(self, *, within: float = math.inf, is_streamed: bool = False) -> None:
        self.ends_at = time.monotonic() + within
        """When its time is over, by `time.monotonic`; infinite where there is no limit."""
        self.is_streamed = is_streamed
        """Whether the body of the answer is wanted as it comes, also of one that breaks off."""
        self.passage: Passage | None = None
        """How far it came; None where nobody tells, as behind a client that was passed in."""
        self.is_answered = False

    @property
    def may_be_whole(self) -> bool | None:
        """Whether all of the request may have reached the other side; None if only its error tells.

        The passage is the connection's, and after an answer may be another request's already.
        """
        if self.is_answered or self.passage is None:
            return True if self.is_answered else None
        return self.passage.may_be_whole

    def is_over(self) -> bool:
        """Whether its time has passed."""
        return time.monotonic() >= self.ends_at

    def check_time(self, request: Outgoing) -> None:
        """Hold that there is time left, right before the request is handed over.

        Raises:
            OverdueError: There is none, as in a process that was stopped for a while.
        """
        if self.is_over():
            raise _overdue(request, sent=False)

    @property
    def is_hurried(self) -> bool:
        """Whether its last wait was shortened, because its time was to end in it."""
        return self.passage is not None and self.passage.is_hurried


class RawAnswer:
    """An answer of which the head has come."""

    __slots__ = ("aclose", "content", "headers", "pieces", "status_code")

    def __init__(
        self,
        status_code: int,
        headers: dict[str, str],
        pieces: AsyncIterable[bytes],
        aclose: Callable[[], Awaitable[None]],
        content: bytes | None = None,
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self.pieces = pieces
        self.aclose = aclose
        self.content = content
        """The body, unpacked, where somebody has read it already."""

    async def close(self) -> None:
        """Give the connection back or close it, also while the caller is being cancelled."""
        with anyio.CancelScope(shield=True):
            await self.aclose()


class Backend(ABC):
    """A sender over one HTTP library.

    Args:
        max_answer_bytes: How long the body of an answer may be, packed or unpacked.
    """

    def __init__(self, max_answer_bytes: int) -> None:
        self._limit = max_answer_bytes

    @abstractmethod
    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        """Send, and return the answer once its head has come."""

    def keeps_time(self) -> bool:
        """Whether each wait of a request ends with its time; otherwise the request is cancelled.

        To be cancelled in time costs each request as much as its headers do.
        """
        return False

    @abstractmethod
    async def distrust(self) -> None:
        """Use no connection again that was open until now."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close what is our own."""

    async def exchange(self, request: Outgoing, within: float = math.inf) -> Answer:
        """Send a request and read its answer to the end, within so many seconds."""
        answer: RawAnswer | None = None
        cause: BaseException | None = None
        attempt = Attempt(within=within)
        try:
            with self._limited(within):
                answer = await self._send(request, attempt)
                content = answer.content
                if content is None:
                    try:
                        content = await read_whole(answer.pieces, answer.headers, self._limit)
                    except BaseException:
                        await answer.close()
                        raise
                await answer.aclose()
                return Answer(answer.status_code, answer.headers, content)
            failure: TransportError = _overdue(request, sent=attempt.may_be_whole is not False)
        except OverdueError as error:
            failure = _overdue(request, sent=error.sent)
        except Exception as error:
            translated = self._translated(error, request, attempt)
            if translated is None:
                raise
            failure, cause = translated, detached_cause(error, request.url)
            if isinstance(failure, OwnTimeoutError) and attempt.is_hurried:
                failure, cause = _overdue(request, sent=failure.sent), None
        if answer is not None:
            failure.status_code = answer.status_code
        # Raised out here, so that the HTTP client's error, which holds the request with its
        # credentials, is not dragged along as context.
        raise failure from cause

    @asynccontextmanager
    async def open(self, request: Outgoing) -> AsyncIterator[OpenAnswer]:
        """Send a request and leave the body of its answer to be read, while the block runs."""
        attempt = Attempt(is_streamed=True)
        failure: TransportError | None = None
        cause: BaseException | None = None
        opened: RawAnswer | None = None
        try:
            opened = await self._send(request, attempt)
        except Exception as error:
            failure = self._translated(error, request, attempt)
            if failure is None:
                raise
            cause = detached_cause(error, request.url)
        if failure is not None:
            # Raised out here, as in `exchange`.
            raise failure from cause
        answer = cast("RawAnswer", opened)

        def translated(error: Exception) -> TransportError | None:
            failure = self._translated(error, request, attempt)
            if failure is not None:
                failure.status_code = answer.status_code
                failure.__cause__ = detached_cause(error, request.url)
            return failure

        try:
            yield OpenAnswer(answer, self._limit, translated)
        finally:
            await answer.close()

    def _limited(self, within: float) -> AbstractContextManager[object]:
        if within == math.inf or self.keeps_time():
            return _UNBOUND
        return anyio.move_on_after(within)

    def _translated(
        self, error: Exception, request: Outgoing, attempt: Attempt
    ) -> TransportError | None:
        failure = translate(
            error, method=request.method, template=request.template, url=request.url
        )
        if failure is not None and attempt.may_be_whole is not None:
            failure.sent = attempt.may_be_whole
        return failure


class OpenAnswer:
    """An answer whose body is still to be read."""

    def __init__(
        self,
        answer: RawAnswer,
        limit: int,
        translated: Callable[[Exception], TransportError | None],
    ) -> None:
        self._answer = answer
        self._limit = limit
        self._translated = translated
        self.status_code = answer.status_code
        self.headers = answer.headers

    @property
    def is_delimited(self) -> bool:
        """Whether the answer says where its body ends."""
        return "content-length" in self.headers or "transfer-encoding" in self.headers

    async def iter_bytes(self) -> AsyncGenerator[bytes, None]:
        """The body, unpacked, piece by piece."""
        try:
            if self._answer.content is not None:
                yield self._answer.content
                return
            async with leaving(unpacked(self._answer.pieces, self.headers)) as contents:
                async for content in contents:
                    yield content
        except Exception as error:
            failure = self._translated(error)
            if failure is None:
                raise
        else:
            return
        raise failure

    async def read(self) -> bytes:
        """The whole body, unpacked; it has the limit of every answer."""
        try:
            if self._answer.content is not None:
                return self._answer.content
            return await read_whole(self._answer.pieces, self.headers, self._limit)
        except Exception as error:
            failure = self._translated(error)
            if failure is None:
                raise
        raise failure


def _overdue(request: Outgoing, *, sent: bool) -> OverdueError:
    error = OverdueError("overdue", method=request.method, path=request.template)
    error.sent = sent
    return error


def header_map(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of an answer, names in lower case."""
    return {_name(name): value.decode("latin-1") for name, value in pairs}


@lru_cache(maxsize=256)
def _name(raw: bytes) -> str:
    # Every answer has the same ones.
    return raw.decode("latin-1").lower()


def encoded(request: Outgoing, httpx: Any = None) -> tuple[bytes, str | None]:
    """The body of a request, and the type of one that is made of files, which httpx encodes."""
    if request.files is None:
        return request.content or b"", None
    httpx = httpx_of("httpcore") if httpx is None else httpx
    built = httpx.Request("POST", "http://localhost", files=request.files)
    return built.read(), built.headers["content-type"]


@lru_cache(maxsize=16)
def timeouts_of(timeout: Any) -> Mapping[str, float | None]:
    """Seconds for each step, by httpx's names of them.

    Args:
        timeout: Seconds for each, None, or connect, read, write and pool.
    """
    steps = timeout if isinstance(timeout, tuple) else (timeout,) * 4
    return MappingProxyType(dict(zip(("connect", "read", "write", "pool"), steps, strict=True)))

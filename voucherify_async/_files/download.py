"""Export files: streamed, signed only where the credentials belong, and whole or an error."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final, Self

import anyio

from .._calls.caller import Caller
from .._calls.limits import end_of
from .._concurrency.leaving import leaving
from .._protocol import answers
from .._protocol.answers import Answer
from .._protocol.retry import Outcome, RetryPolicy
from .._transport.exchange import StreamedAnswer
from ..errors import APIError, InvalidArgumentError, ResponseValidationError, TransportError
from .addresses import is_address, is_trusted
from .atomic import replacing_async
from .partial_file import Chunk, PartialFile, UnprovenEndError

_PAGES: Final = ("text/html", "application/json", "application/xhtml")
"""What gateways and portals answer in place of a file."""


async def chunks(caller: Caller, url: str) -> AsyncGenerator[Chunk, None]:
    """A file chunk by chunk. Where it broke off it goes on; an offset of 0 begins it anew.

    Raises:
        InvalidArgumentError: The address is not an http(s) URL.
        APIError: It was refused.
        ResponseValidationError: What came is not a CSV file.
        TransportError: It broke off more often in a row than the client's retry policy allows.
    """
    clock = caller.settings.clock
    policy = caller.settings.retry or RetryPolicy(max_attempts=1)
    ends_at = end_of(clock, policy)
    file, attempt = PartialFile(), 1
    while not file.is_whole:
        try:
            async with _opened(caller, url, file.request_headers()) as answer:
                file.begin(answer.status_code, answer.headers)
                async with leaving(answer.iter_bytes()) as contents:
                    async for content in contents:
                        yield file.take(content)
                        if file.has_got_further():
                            attempt = 1
                file.end(is_delimited=answer.is_delimited)
        except UnprovenEndError:
            raise
        except (TransportError, APIError) as error:
            outcome = _outcome(error, file)
            if file.is_whole:
                return
            wait = policy.wait("GET", outcome, attempt=attempt, now=clock.time())
            if wait is None or clock.monotonic() + wait >= ends_at:
                raise
            attempt += 1
            await clock.sleep(wait)


def _outcome(error: TransportError | APIError, file: PartialFile) -> Outcome:
    """What the retry policy is to judge by."""
    if isinstance(error, TransportError):
        return error
    if error.status_code == 416:
        file.refuse_range(error.headers)
        # Not the file's last word, but one on a place in it.
        return Answer(503, error.headers, b"")
    return Answer(error.status_code, error.headers, b"")


class FileBytes(AsyncIterator[bytes]):
    """The bytes of a file that is open, read once and to an end that is certain."""

    def __init__(self, answer: StreamedAnswer, contents: AsyncIterator[bytes]) -> None:
        self._file = PartialFile()
        self._file.begin(answer.status_code, answer.headers)
        self._is_delimited = answer.is_delimited
        self._contents = contents

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            content = await anext(self._contents)
        except StopAsyncIteration:
            if not self._file.is_whole:
                self._file.end(is_delimited=self._is_delimited)
            raise
        return self._file.take(content).content


@asynccontextmanager
async def opened(caller: Caller, url: str) -> AsyncIterator[FileBytes]:
    """Open a file whose bytes come while the block runs.

    Raises:
        InvalidArgumentError: The address is not an http(s) URL.
        APIError: It was refused.
        ResponseValidationError: What came is not a CSV file.
        TransportError: It broke off.
    """
    async with (
        _opened(caller, url, PartialFile().request_headers()) as answer,
        leaving(answer.iter_bytes()) as contents,
    ):
        yield FileBytes(answer, contents)


@asynccontextmanager
async def _opened(
    caller: Caller, url: str, headers: Mapping[str, str]
) -> AsyncIterator[StreamedAnswer]:
    if not is_address(url):
        raise InvalidArgumentError("export: the address of its file is not an http(s) URL")
    sign = is_trusted(url, caller.settings.base_url)
    async with caller.open(url, {"Accept": "text/csv, */*", **headers}, sign=sign) as answer:
        if answer.status_code >= 300:
            refusal = Answer(answer.status_code, answer.headers, await answer.read())
            raise answers.error_from(refusal, caller.settings.clock.time())
        kind = answer.headers.get("content-type", "").strip().lower()
        if kind.startswith(_PAGES):
            raise ResponseValidationError(
                json_path="$", expected="a CSV file", value=kind, path="(download)"
            )
        yield answer


async def write(file: AsyncGenerator[Chunk, None], to: Path) -> Path:
    """Write a file that comes in chunks to the disk, where it appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    position = 0
    async with replacing_async(to) as target, aclosing(file):
        written = anyio.wrap_file(target)
        async for chunk in file:
            if chunk.offset != position:
                await written.seek(chunk.offset)
                await written.truncate()
            await written.write(chunk.content)
            position = chunk.offset + len(chunk.content)
    return to

"""Downloads that break off and go on: from where they stopped, or from the start."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from .._calls.caller import Caller
from .._protocol.answers import Answer
from .._protocol.rate_limits import integer
from .._protocol.retry import Outcome, RetryPolicy
from .._transport.exchange import StreamedAnswer
from ..errors import APIError, ProtocolError, TransportError
from . import download
from .download import Piece

_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _State:
    """How far a download came, and what its file was then."""

    def __init__(self) -> None:
        self.position = 0
        self.tag: str | None = None
        self.total: int | None = None

    def headers(self) -> dict[str, str]:
        """What asks for the rest of the file, if it still is the same one."""
        # Places in a compressed file are of no use.
        plain = {"Accept-Encoding": "identity"}
        if not self.position or self.tag is None:
            return plain
        return {**plain, "Range": f"bytes={self.position}-", "If-Range": self.tag}

    def begin(self, response: StreamedAnswer) -> None:
        """Note where the answer begins."""
        headers = response.headers
        place = _RANGE.fullmatch(headers.get("content-range", ""))
        if response.status_code == 206 and place is not None:
            self.position = int(place[1])
            self.total = integer(place[2])
            return
        tag = headers.get("etag")
        self.position = 0
        # A weak tag says alike, which is not the same to the byte.
        self.tag = None if tag is None or tag.startswith("W/") else tag
        encoded = "content-encoding" in headers
        self.total = None if encoded else integer(headers.get("content-length"))

    def check_end(self) -> None:
        """Refuse a file that ended early.

        Raises:
            ProtocolError: It has fewer bytes than were announced.
        """
        if self.total is not None and self.position < self.total:
            raise ProtocolError(
                f"The download ended after {self.position:,} of {self.total:,} bytes",
                method="GET",
                path="(download)",
            )


async def pieces(caller: Caller, url: str) -> AsyncGenerator[Piece, None]:
    """A file piece by piece. Where it broke off it goes on; an offset of 0 begins it anew.

    Raises:
        InvalidArgumentError: It is no http(s) URL.
        APIError: It was refused.
        TransportError: It broke off more often in a row than the client's retry policy allows.
    """
    policy = caller.settings.retry or RetryPolicy(max_attempts=1)
    state, attempt = _State(), 1
    while True:
        try:
            async with download.opened(caller, url, state.headers()) as response:
                state.begin(response)
                async with aclosing(response.iter_bytes()) as contents:
                    async for content in contents:
                        yield Piece(state.position, content)
                        state.position += len(content)
                        attempt = 1
                state.check_end()
                return
        except (TransportError, APIError) as error:
            if isinstance(error, APIError) and error.status_code == 416 and state.position:
                state = _State()
            wait = policy.wait(
                "GET", _outcome(error), attempt=attempt, now=caller.settings.clock.time()
            )
            if wait is None:
                raise
            attempt += 1
            await caller.settings.clock.sleep(wait)


def _outcome(error: TransportError | APIError) -> Outcome:
    if isinstance(error, TransportError):
        return error
    # The place that was asked for is none of the file: it has changed, and begins anew.
    status = 503 if error.status_code == 416 else error.status_code
    return Answer(status, error.headers, b"")

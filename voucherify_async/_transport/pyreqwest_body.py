"""The body of a request, which pyreqwest takes piece by piece, or not at all."""

from __future__ import annotations

import math
import time
from itertools import compress
from typing import Final

from .._protocol.headers import SignedHeaders
from .backend import encoded
from .exchange import Outgoing

_PIECE: Final = 1 << 16


class Body:
    """The body of a request, in pieces that the connection takes one by one.

    They are taken by another thread, between two steps of the interpreter's: a piece is either
    taken or called back. No bytecode runs there, so that the thread never waits within Python.
    None is given away once the request's time is over, by `time.monotonic`: a process that was
    stopped for a while sends nothing when it goes on.
    """

    __slots__ = ("_last", "content_type", "is_large", "length", "pieces", "stream")

    def __init__(self, request: Outgoing, ends_at: float = math.inf) -> None:
        content, self.content_type = encoded(request)
        self.length = len(content)
        self.is_large = self.length > _PIECE
        starts = range(0, self.length, _PIECE)
        self.pieces = {start: content[start : start + _PIECE] for start in starts}
        self._last = starts[-1] if starts else -1
        in_time = map(ends_at.__gt__, iter(time.monotonic, None))
        self.stream = map(self.pieces.pop, compress(starts, in_time))

    def cut(self) -> bool:
        """Keep back what was not taken; tells whether that is the end of the body, or more."""
        return self.pieces.pop(self._last, None) is not None


NO_BODY: Final = Body(Outgoing("GET", "", SignedHeaders(), None, None, None, ""))

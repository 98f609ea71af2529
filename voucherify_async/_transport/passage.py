"""How far one request, and the head of its answer, came on a connection."""

from __future__ import annotations

import math
import select
import sys
import time
from typing import Final

from .unpacking import TooLargeError

HEAD_LIMIT = 512 * 1024
"""Bytes of an answer's head at the most, interim answers (1xx) before it included."""
ABORT_DROPS_REST: Final = sys.platform != "win32"
"""Whether what asyncio was to write surely is not written once its connection is aborted: an
overlapped write of Windows may have happened although it was called off."""


class Passage:
    """Watches what is written and read on one connection, request by request.

    Args:
        layers: How many layers of TLS there are between the socket and a request: one for an
            encrypted origin, one more for an encrypted proxy.
    """

    def __init__(self, layers: int) -> None:
        self._layers_left = layers
        self._head_left: float = HEAD_LIMIT
        self._is_connecting = False
        self._is_writing = False
        self._ends_at = math.inf
        self.is_hurried = False
        """Whether the last wait was shortened, because the request's own time was to end in it."""
        self.is_begun = False
        """Whether any of the request may have been written."""
        self.is_cut = False
        """Whether the request surely broke off before its last byte was handed to the kernel."""

    @property
    def may_be_whole(self) -> bool | None:
        """Whether all of the request may have reached the other side.

        None where no connection was asked for: something answers in its place, as mocks do.
        """
        return self.is_begun and not self.is_cut if self._is_connecting else None

    def note_connecting(self) -> None:
        """Note that the connection is being opened."""
        self._is_connecting = True

    def begin(self, ends_at: float = math.inf) -> None:
        """Watch the next request, whose time is over then, by `time.monotonic`."""
        self.is_begun = self.is_cut = self.is_hurried = False
        self._head_left = HEAD_LIMIT
        self._ends_at = ends_at

    def bounded(self, timeout: float | None) -> float | None:
        """How many seconds one wait may take: those of its step, and no more than the request has.

        They may be none.
        """
        if self._ends_at == math.inf:
            return timeout
        left = self._ends_at - time.monotonic()
        self.is_hurried = timeout is None or left < timeout
        return left if self.is_hurried else timeout

    def end_head(self) -> None:
        """Note that the head of the answer is complete."""
        self._head_left = math.inf

    def note_encrypted(self) -> None:
        """Note that there is one more layer of TLS."""
        self._layers_left -= 1

    def note_write(self) -> bool:
        """Note that a piece is about to be written: of the request, unless TLS is still to come.

        Returns:
            Whether it may be, as there is time left. A process that was stopped for a while may
            come here when others have taken it for dead.
        """
        self._is_writing = True
        if time.monotonic() >= self._ends_at:
            self.is_hurried = True
            self.note_cut()
            return False
        if not self._layers_left:
            self.is_begun = True
        return True

    def note_wait(self) -> None:
        """Note that the answer is waited for."""
        self._is_writing = False

    def note_cut(self) -> None:
        """Note that what was written last surely broke off here.

        That is the request, unless the answer is waited for: then TLS writes for itself, new keys
        or a new handshake that the other side asked for once it had the request.
        """
        self.is_cut = self.is_cut or self._is_writing

    def note_read(self, count: int) -> None:
        """Count what came of the answer's head.

        Raises:
            TooLargeError: It does not end.
        """
        self._head_left -= count
        if self._head_left < 0:
            raise TooLargeError("the head of the answer", HEAD_LIMIT)


def is_readable(fd: int) -> bool:
    """Whether there is something to read, which on an idle connection is its end."""
    if fd < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([fd], [], [], 0)[0])
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))

"""A timeout that is set anew for each step, while the event loop's timer is seldom touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Alarm:
    """Rings once the time that was set last is over.

    A timer of the event loop costs as much as reading an answer does, and hardly any of them ever
    fires. So a timer that would fire too early is left, and set anew only when it has fired.

    Args:
        loop: asyncio's event loop.
        ring: What is called.
    """

    __slots__ = ("_loop", "_ring", "_rings_at", "_timer")

    def __init__(self, loop: Any, ring: Callable[[], object]) -> None:
        self._loop = loop
        self._ring = ring
        self._rings_at: float | None = None
        self._timer: Any = None

    def set(self, seconds: float | None) -> None:
        """Ring in so many seconds, none of them at once, unless it is set anew before.

        None never rings.
        """
        if seconds is None:
            self._rings_at = None
            return
        if seconds <= 0:
            self._rings_at = None
            self._ring()
            return
        self._rings_at = rings_at = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= rings_at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(rings_at, self._fire)

    def drop(self) -> None:
        """Never ring again, and leave nothing behind in the event loop."""
        self._rings_at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        rings_at, self._timer = self._rings_at, None
        if rings_at is None:
            return
        if self._loop.time() < rings_at:
            self._timer = self._loop.call_at(rings_at, self._fire)
        else:
            self._rings_at = None
            self._ring()

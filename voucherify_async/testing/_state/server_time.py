"""Time as the embedded server sees it: one injectable clock, and the API's forms of an instant."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def real_time() -> datetime:
    """Return the present instant, in UTC."""
    return datetime.now(UTC)


def micros(instant: datetime) -> int:
    """Return microseconds since the Unix epoch, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def iso(instant: datetime) -> str:
    """Return the API's usual text of an instant: UTC, milliseconds, ``Z``."""
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{text}Z"


def parse_instant(text: str) -> datetime:
    """Return the aware instant that an ISO 8601 text names; a text without an offset is UTC.

    Raises:
        ValueError: the text is not an ISO 8601 date.
    """
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


class ServerTime:
    """The server's clock: what ``now`` returns, and what its answers pretend (``skew``)."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.skew: float = 0.0
        self._date = (-1, "")

    def now(self) -> datetime:
        """Return the present instant, cut to whole milliseconds as the API stores it."""
        instant = self._now()
        if instant.tzinfo is None:
            raise ValueError("the clock given to FakeVoucherify returned a naive datetime")
        return instant.replace(microsecond=instant.microsecond // 1000 * 1000)

    def seconds(self) -> float:
        """Return seconds since the Unix epoch, without the skew."""
        return self._now().timestamp()

    def told(self, seconds: float) -> int:
        """Return the whole epoch seconds that an answer states for an instant, skew included."""
        return math.ceil(seconds + self.skew)

    def date_header(self) -> str:
        """Return the value of the ``Date`` header, skew included."""
        second = int(self.seconds() + self.skew)
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]

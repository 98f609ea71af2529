"""Voucherify's time, as far as its answers have told it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from .._protocol import rate_limits

_SOUND_SECONDS: Final = 86_400.0
"""How far two clocks can be apart; a `Date` beyond is not a time, but a mistake."""


class ServerClock:
    """The difference between Voucherify's clock and this machine's, as the last answer shows it."""

    def __init__(self) -> None:
        self._headers: Mapping[str, str] = {}
        self._noted_at = 0.0

    def note(self, headers: Mapping[str, str], now: float) -> None:
        """Take note of an answer that has just come.

        Args:
            headers: Its headers, names in lower case.
            now: This machine's time as seconds since 1970.
        """
        if "date" in headers:
            self._headers, self._noted_at = headers, now

    @property
    def offset(self) -> float | None:
        """Seconds that Voucherify's clock is ahead, or None where no answer has told."""
        if not self._headers:
            return None
        # NaN, where the `Date` cannot be read, is within no bound.
        offset = rate_limits.server_time(self._headers, math.nan) - self._noted_at
        return offset if abs(offset) <= _SOUND_SECONDS else None

    def at(self, seconds: float) -> datetime:
        """What Voucherify's clock shows when this machine's shows so many seconds since 1970."""
        return datetime.fromtimestamp(seconds + (self.offset or 0.0), UTC)

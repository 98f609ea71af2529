"""Voucherify's time, as far as its answers have told it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from .._protocol import rate_limits


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
        shown = rate_limits.stated_time(self._headers, self._noted_at)
        return None if shown is None else shown - self._noted_at

    def at(self, seconds: float) -> datetime:
        """What Voucherify's clock shows when this machine's shows so many seconds since 1970."""
        return datetime.fromtimestamp(seconds + (self.offset or 0.0), UTC)

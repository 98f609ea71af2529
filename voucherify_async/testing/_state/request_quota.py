"""Request quotas in fixed windows, and the headers that tell of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .._refusals import ApiFailure
from .server_time import ServerTime

_UNLIMITED = 100_000


@dataclass(slots=True)
class _Window:
    kind: Literal["api_calls", "bulk_api_calls"]
    limit: int
    used: int = 0
    number: int = -1


class RequestQuota:
    """The quotas for plain and for bulk calls; none is in force until one is set."""

    def __init__(self, clock: ServerTime) -> None:
        self._clock = clock
        self._seconds = 60.0
        self._start = 0.0
        self._plain: _Window | None = None
        self._bulk: _Window | None = None

    def set(self, limit: int | None, seconds: float, bulk_limit: int | None) -> None:
        """Put quotas in force from now on, or lift them (``limit=None``)."""
        self._start = self._clock.seconds()
        self._seconds = seconds
        self._plain = None if limit is None else _Window("api_calls", limit)
        self._bulk = None if bulk_limit is None else _Window("bulk_api_calls", bulk_limit)

    def count(self, *, bulk: bool) -> dict[str, str]:
        """Count a request and return its headers, or raise the API's 429."""
        window = self._bulk if bulk and self._bulk is not None else self._plain
        if window is None:
            return self.free_headers()
        now = self._clock.seconds()
        number = math.floor((now - self._start) / self._seconds)
        if number != window.number:
            window.number, window.used = number, 0
        turns = self._start + (number + 1) * self._seconds
        if window.used >= window.limit:
            headers = self._headers(window.limit, 0, turns)
            headers["retry-after"] = str(max(1, math.ceil(turns - now)))
            headers["x-rate-limit-type"] = window.kind
            details = f"The quota of {window.limit} {window.kind} is used up"
            raise ApiFailure(
                429, "too_many_requests", "Too many requests", details, headers=headers
            )
        window.used += 1
        return self._headers(window.limit, window.limit - window.used, turns)

    def free_headers(self) -> dict[str, str]:
        """Return the headers of a request that no quota counts."""
        return self._headers(_UNLIMITED, _UNLIMITED - 1, self._clock.seconds() + self._seconds)

    def _headers(self, limit: int, remaining: int, turns: float) -> dict[str, str]:
        return {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(remaining),
            "x-rate-limit-retry": str(self._clock.told(turns)),
        }

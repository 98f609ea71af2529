"""One quota that many processes use: what a quota store decides.

The store keeps, for each quota, the count that answers stated last and how many calls each process
holds: those it has under way, and those it was granted and has not begun. Calls are granted while
more are left than all of them hold. What a process holds lapses unless it asks again, so that one
that died keeps nobody out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import asdict, frozen

from .rate_limits import LONGEST_WINDOW

LEASE: Final = 3.0
"""Seconds for which the store counts what a process holds, unless that asks again. Voucherify has
counted a call itself by then, so that its next answer tells."""
KEPT: Final = 7200
"""Seconds for which a store keeps what it knows of a quota: longer than any window."""

State = dict[str, Any]
"""What a store keeps of a quota; it can be written as JSON. Instants are milliseconds."""


@frozen(kw_only=True)
class QuotaNews:
    """What the answers since the last request stated."""

    remaining: int | None = None
    """How many calls are left in the window; None where no answer said so."""
    limit: int | None = None
    """How many calls the window allows."""
    window: int | None = None
    """The window: when it ends by Voucherify's clock, in seconds since 1970."""
    turns_in: int | None = None
    """Milliseconds until it turns."""
    is_certain: bool = True
    """Whether everybody may go on then, or one call has to ask first."""
    is_refusal: bool = False
    """Whether that was a 429, which counts whatever was stated before."""
    paused_for: int = 0
    """Milliseconds for which a gateway asked everybody to wait."""


@frozen(kw_only=True)
class QuotaGrant:
    """How many calls a process may begin."""

    granted: int
    """How many, up to as many as it wanted."""
    wait: float | None = None
    """Seconds until more can be granted; None where that may be at any moment."""


@frozen(kw_only=True)
class QuotaRequest:
    """What a process asks a quota store for."""

    holder: str
    """Which process it is."""
    held: int
    """How many calls it has under way."""
    wanted: int
    """How many more it would begin."""
    news: QuotaNews | None = None
    """What it learned of the quota; None where no answer came since it asked last."""

    def decide(self, state: Mapping[str, Any] | None, now: float) -> tuple[State, QuotaGrant]:
        """What a store answers, for one that cannot run a script: load, decide, save.

        Args:
            state: What the store keeps under the key, or None where it has nothing.
            now: Seconds since 1970 by the store's own clock, as those of processes differ.

        Returns:
            What to keep from here on, and what to answer.
        """
        milliseconds = int(now * 1000)
        try:
            return self._decide(_Window(state or {}, milliseconds))
        except (AttributeError, KeyError, TypeError, ValueError):
            # Somebody else's data. What answers state will put it right.
            return self._decide(_Window({}, milliseconds))

    def to_dict(self) -> dict[str, Any]:
        """The request in JSON types, without what is None."""
        return asdict(self, filter=lambda _, value: value is not None)

    def _decide(self, window: _Window) -> tuple[State, QuotaGrant]:
        window.hold(self.holder, self.held)
        if self.news is not None:
            window.note(self.news)
        grant = window.grant(self.held, self.wanted)
        window.hold(self.holder, self.held + grant.granted)
        if not self.wanted and not self.held:
            del window.holders[self.holder]
        return window.state(), grant


class _Window:
    """A quota as a store knows it. `_calls/redis_quota.lua` is the same, line by line."""

    def __init__(self, state: Mapping[str, Any], now: int) -> None:
        self.now = now
        # A store's clock that was set back must not shut a quota for good.
        latest = now + int(LONGEST_WINDOW * 1000)
        lapses_by = now + int(LEASE * 1000)
        self.remaining: int | None = state.get("remaining")
        self.limit: int | None = state.get("limit")
        self.window: int | None = state.get("window")
        self.ended: int | None = state.get("ended")
        self.turns: int | None = _at_most(state.get("turns"), latest)
        self.is_certain: bool = state.get("is_certain", True)
        self.paused: int = min(state.get("paused", 0), latest)
        self.asking: int | None = _at_most(state.get("asking"), lapses_by)
        if "at" not in state:
            self.asking = lapses_by
        self.holders: dict[str, list[int]] = {
            holder: [held, min(lapses, lapses_by)]
            for holder, (held, lapses) in state.get("holders", {}).items()
            if lapses > now
        }

    def state(self) -> State:
        """What to keep of it."""
        kept = {
            "at": self.now,
            "remaining": self.remaining,
            "limit": self.limit,
            "window": self.window,
            "ended": self.ended,
            "turns": self.turns,
            "is_certain": self.is_certain,
            "paused": self.paused,
            "asking": self.asking,
            "holders": self.holders,
        }
        return {name: value for name, value in kept.items() if value is not None}

    def hold(self, holder: str, held: int) -> None:
        """Note how many calls a process holds."""
        self.holders[holder] = [held, self.now + int(LEASE * 1000)]

    def note(self, news: QuotaNews) -> None:
        """Note what answers stated."""
        if news.paused_for > 0:
            self.paused = max(self.paused, self.now + news.paused_for)
        if news.remaining is None:
            if self.asking is not None:
                self.asking, self.remaining = None, None
            return
        if not news.is_refusal and self._is_past(news.window):
            return
        turns = None if news.turns_in is None else self.now + news.turns_in
        if not news.is_refusal and news.window is not None and news.window == self.window:
            # Answers overtake each other: within a window the lowest count is the latest one, and
            # no statement of the turn is too early, but each by its way here too late.
            self.remaining = _earlier(self.remaining, news.remaining)
            self.turns = _earlier(turns, self.turns)
        else:
            self.remaining, self.turns = news.remaining, turns
        self.window = self.window if news.window is None else news.window
        self.limit = self.limit if news.limit is None else news.limit
        self.is_certain, self.asking = news.is_certain, None

    def grant(self, own: int, wanted: int) -> QuotaGrant:
        """Decide how many calls a process may begin that holds `own`."""
        if self.now < self.paused:
            return QuotaGrant(granted=0, wait=(self.paused - self.now) / 1000)
        total = sum(held for held, _ in self.holders.values())
        if self.remaining is not None and self.remaining <= total and self._has_turned():
            self._start_window()
        if self.asking is not None:
            if self.now < self.asking:
                # Nobody knows yet: each process finds out with one call.
                return QuotaGrant(granted=min(wanted, 1) if own == 0 else 0)
            self.asking = None
        if self.remaining is None:
            return QuotaGrant(granted=wanted)
        left = self.remaining - total
        if left <= 0:
            is_used_up = self.remaining <= 0 and self.turns is not None
            wait = (self.turns - self.now) / 1000 if is_used_up and self.turns is not None else None
            return QuotaGrant(granted=0, wait=wait)
        # Half of a fair share: few questions while plenty is left, and the last calls one by one.
        return QuotaGrant(granted=min(wanted, max(1, left // (2 * len(self.holders)))))

    def _is_past(self, window: int | None) -> bool:
        if window is None:
            return False
        has_ended = self.ended is not None and window <= self.ended
        return has_ended or (self.window is not None and window < self.window)

    def _has_turned(self) -> bool:
        if self.turns is None:
            return self.remaining is not None and self.remaining <= 0
        return self.now >= self.turns

    def _start_window(self) -> None:
        if self.turns is not None and not self.is_certain:
            self.asking = self.now + int(LEASE * 1000)
            self.remaining = None
        else:
            # What is under way was counted in the window before or will be in this one.
            self.remaining = self.limit or None
            self.ended = self.ended if self.window is None else self.window
        self.window, self.turns = None, None


def _earlier(*known: int | None) -> int | None:
    return min((moment for moment in known if moment is not None), default=None)


def _at_most(moment: int | None, latest: int) -> int | None:
    return None if moment is None else min(moment, latest)

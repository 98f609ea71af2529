"""How a listing is walked past the last page that the API serves: by moving a window of time.

The vouchers come oldest first. A window is a query of its own that begins just before the youngest
voucher seen so far, so that nothing that was deleted behind it can shift what lies ahead. Windows
overlap by a millisecond, which covers bounds that count themselves in, bounds that do not, and
instants that are kept more exactly than they are shown; what was seen is left out by its id.

Pages of one window are numbered, and their numbers shift when a voucher before them goes. The total
tells: where it changes, the page is put aside and a new window begins at the last good one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..errors import InvalidArgumentError, PaginationError, PaginationLimitError
from .listings import Envelope, Query, Scheme, Step

LAST_PAGE: Final = 99
_OVERLAP: Final = timedelta(milliseconds=1)
_LEAST: Final = timedelta(microseconds=1)
_MAX_RESTARTS: Final = 25


class Windows(Scheme):
    """One walk over every voucher that a query matches, oldest first.

    Args:
        query: The query, with `created_at` in JSON types if it has any.
        numbered: Whether to read a window's pages by their numbers, so that several can be read at
            once, and not to begin a window at every page, which no deletion can disturb.
    """

    def __init__(self, query: Query, *, numbered: bool) -> None:
        bounds = query.get("created_at") or {}
        self._lower, self._upper = read_instant(bounds, "after"), read_instant(bounds, "before")
        self._numbered = numbered
        self._newest: datetime | None = None
        # Of the window at hand: where it begins, and how many vouchers it has.
        self._after = self._lower
        self._total: int | None = None
        # The youngest instant so far, and the ids that a window beginning there would show again.
        self._seam: datetime | None = None
        self._near: dict[str, datetime] = {}
        self._has_shifted = False
        self._has_leapt = False
        self._restarts = 0

    def survey(self, query: Query) -> Query:
        """What to ask before the walk: the youngest voucher, past which the walk does not go."""
        return {**query, "order": "-created_at", "limit": 1, "page": 1}

    def begin(self, query: Query, survey: Envelope) -> Query:
        """The first query of the walk."""
        self._newest = _created(survey.items[0]) if survey.items else None
        if self._newest is not None:
            bound = self._newest + _OVERLAP
            # By the server's own clock, whatever ours says.
            self._upper = bound if self._upper is None else min(self._upper, bound)
        return self._window(query, self._after)

    def unseen(self, envelope: Envelope) -> Sequence[tuple[int, Any]]:
        """What no page before this one held, and was there when the walk began."""
        self._has_shifted = self._total is not None and envelope.total != self._total
        if self._has_shifted:
            return []
        fresh = [
            (place, item)
            for place, item in enumerate(envelope.items)
            if _text(item, "id") not in self._near and not self._is_later(item)
        ]
        for _, item in fresh:
            created, id_ = _created(item), _text(item, "id")
            if created is not None:
                self._seam = created if self._seam is None else max(self._seam, created)
                if id_ is not None:
                    self._near[id_] = created
        if self._seam is not None:
            kept = self._seam - _OVERLAP
            self._near = {id_: created for id_, created in self._near.items() if created >= kept}
        if fresh:
            self._restarts = 0
        return fresh

    def after(self, query: Query, envelope: Envelope) -> Step:
        """The next page of the window, the next window, or the end."""
        if not self._has_shifted:
            self._has_leapt = False
            self.step = self._onwards(query, envelope)
        elif self._has_leapt:
            self.step = self._ceiling()
        else:
            self.step = self._restart(query)
        return self.step

    def upcoming(self, query: Query, envelope: Envelope, count: int) -> Sequence[Query]:  # noqa: ARG002
        """As many numbered pages as the window's total promises, or the next window."""
        step = self.step
        if not count or not isinstance(step, Mapping):
            return []
        page = step["page"]
        pages = math.ceil((self._total or 0) / step["limit"])
        last = min(page + count - 1, max(pages, page), LAST_PAGE)
        return [{**step, "page": number} for number in range(page, last + 1)]

    def _onwards(self, query: Query, envelope: Envelope) -> Step:
        page, limit, items = query["page"], query["limit"], envelope.items
        total = envelope.total
        more = len(items) >= limit if total is None else page * limit < total
        if not items or not more or self._is_later(items[-1]):
            return None
        if self._seam is None:
            return PaginationError("The listing goes on, but its vouchers have no created_at")
        # Beginning a window shows again what is near the seam; a crowd there is passed by number.
        move = page >= LAST_PAGE or not (self._numbered or len(self._near) > limit // 4)
        for overlap in (_OVERLAP, _LEAST):
            if move and self._is_progress(self._seam - overlap):
                return self._moved(query, self._seam - overlap)
        if page >= LAST_PAGE:
            return self._leap(query, page * limit, total)
        self._total = total
        return {**query, "page": page + 1}

    def _leap(self, query: Query, read: int, total: int | None) -> Step:
        """On to the next instant, if the total there shows that this one was read to its end."""
        if self._seam is None or total is None:
            return self._ceiling()
        step = self._moved(query, self._seam + _OVERLAP - _LEAST)
        self._has_leapt, self._total = True, total - read
        return step

    def _restart(self, query: Query) -> Step:
        self._restarts += 1
        if self._restarts > _MAX_RESTARTS:
            return PaginationError(
                "Vouchers are being deleted or changed faster than they can be listed; try again "
                "with concurrency=1, or at a quieter time"
            )
        seam = None if self._seam is None else self._seam - _OVERLAP
        return self._moved(query, seam if seam and self._is_progress(seam) else self._after)

    def _moved(self, query: Query, after: datetime | None) -> Query:
        if after is not None and self._lower is not None:
            after = max(after, self._lower)
        self._after, self._total = after, None
        return self._window(query, after)

    def _is_progress(self, after: datetime) -> bool:
        return self._after is None or after > self._after

    def _window(self, query: Query, after: datetime | None) -> Query:
        bounds = {"after": after, "before": self._upper}
        stated = {name: _exact(bound) for name, bound in bounds.items() if bound is not None}
        return {**query, "page": 1, **({"created_at": stated} if stated else {})}

    def _is_later(self, item: Any) -> bool:
        created = _created(item)
        return created is not None and self._newest is not None and created > self._newest

    def _ceiling(self) -> PaginationLimitError:
        seam = "" if self._seam is None else self._seam.isoformat()
        return PaginationLimitError(
            f"More vouchers were created at {seam} than the API lists of one instant (9,900). "
            "Narrow the listing with category=, campaign_id=, customer= or filters=, and walk each "
            "part; or take exports.create(), which has no such limit",
            page=LAST_PAGE,
        )


def read_instant(bounds: Mapping[str, Any], name: str) -> datetime | None:
    """A bound of `created_at` as an aware datetime.

    Raises:
        InvalidArgumentError: It is no ISO 8601 text.
    """
    text = bounds.get(name)
    if text is None:
        return None
    try:
        return _aware(datetime.fromisoformat(text))
    except (TypeError, ValueError):
        raise InvalidArgumentError(
            f"created_at.{name}: expected a datetime or an ISO 8601 text, got {text!r}"
        ) from None


def _exact(moment: datetime) -> str:
    # Finer than other instants: a bound between two milliseconds leaves none of them in doubt.
    return moment.isoformat().replace("+00:00", "Z")


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _created(item: Any) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(_text(item, "created_at") or ""))
    except ValueError:
        return None


def _text(item: Any, key: str) -> str | None:
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None

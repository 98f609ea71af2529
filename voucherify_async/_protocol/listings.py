"""How each listing of the API is walked: pure, from a page to the query of the next."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import field, frozen

from ..errors import PaginationError, PaginationLimitError, ResponseValidationError

Query = Mapping[str, Any]
Step = Query | PaginationError | None
"""The next query, the error that stands in its place, or None at the end."""


@frozen
class Envelope:
    """A listing's answer, taken apart but for its items."""

    key: str
    """The key of the array, which `data_ref` names."""
    items: Sequence[Any]
    total: int | None
    has_more: bool | None
    cursor: str | None
    extra: Mapping[str, Any] = field(factory=dict)


_KNOWN: Final = frozenset({"object", "data_ref", "total", "has_more", "more_starting_after"})


def open_envelope(body: Any, default_key: str) -> Envelope:
    """Take a listing's answer apart.

    Raises:
        ResponseValidationError: It is no listing.
    """
    if not isinstance(body, dict):
        raise ResponseValidationError(json_path="$", expected="a listing", value=body)
    named = body.get("data_ref")
    key = named if isinstance(named, str) and named in body else default_key
    items = body.get(key)
    if not isinstance(items, list):
        raise ResponseValidationError(json_path=f"$.{key}", expected="an array", value=items)
    total, has_more, cursor = (body.get(k) for k in ("total", "has_more", "more_starting_after"))
    return Envelope(
        key=key,
        items=items,
        total=total if isinstance(total, int) else None,
        has_more=has_more if isinstance(has_more, bool) else None,
        cursor=cursor if isinstance(cursor, str) and cursor else None,
        extra={k: v for k, v in body.items() if k not in _KNOWN and k != key},
    )


class Scheme(ABC):
    """One walk of one listing."""

    step: Step = None
    """What follows the page that `after` was told of last."""

    @abstractmethod
    def after(self, query: Query, envelope: Envelope) -> Step:
        """Note a page and say what follows it."""

    def survey(self, query: Query) -> Query | None:  # noqa: ARG002
        """A query to send before the walk, whose answer `begin` is told of."""
        return None

    def begin(self, query: Query, survey: Envelope) -> Query:  # noqa: ARG002
        """The first query of the walk."""
        return query

    def unseen(self, envelope: Envelope) -> Sequence[tuple[int, Any]]:
        """The items, with their places in the page, that no page before this one held."""
        return list(enumerate(envelope.items))

    def upcoming(self, query: Query, envelope: Envelope, count: int) -> Sequence[Query]:  # noqa: ARG002
        """The next queries as far as they can be told now, `count` at the most."""
        return [self.step] if count and isinstance(self.step, Mapping) else []


class PageNumbers(Scheme):
    """`page=1`, `page=2`, ... up to the last one that the API serves."""

    def __init__(self, *, last_page: int, way_on: str) -> None:
        self._last_page = last_page
        self._way_on = way_on

    def after(self, query: Query, envelope: Envelope) -> Step:
        """The next number, unless this page was the last or an empty one."""
        page, limit = query["page"], query["limit"]
        if envelope.total is not None:
            more = page * limit < envelope.total
        else:
            more = len(envelope.items) >= limit if envelope.has_more is None else envelope.has_more
        if not more or not envelope.items:
            self.step = None
        elif page >= self._last_page:
            self.step = self._ceiling(page, page * limit, envelope.total)
        else:
            self.step = {**query, "page": page + 1}
        return self.step

    def upcoming(self, query: Query, envelope: Envelope, count: int) -> Sequence[Query]:
        """All the pages that the total promises."""
        if not isinstance(self.step, Mapping):
            return []
        page = query["page"]
        pages = math.ceil((envelope.total or 0) / query["limit"])
        last = min(page + count, max(pages, page + 1), self._last_page)
        return [{**query, "page": number} for number in range(page + 1, last + 1)]

    def _ceiling(self, page: int, reached: int, total: int | None) -> PaginationLimitError:
        of = "more" if total is None else f"{total:,}"
        return PaginationLimitError(
            f"The API serves no page after {page}: {reached:,} of {of} items were read. "
            f"{self._way_on}",
            page=page,
            total=total,
        )


class Cursor(Scheme):
    """`starting_after_id` with the id that the last page names, or that of its last item."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def after(self, query: Query, envelope: Envelope) -> Step:
        """The query after the cursor, unless the page was the last or an empty one."""
        more = envelope.has_more
        if more is None:
            more = envelope.cursor is not None or len(envelope.items) >= query["limit"]
        if not more or not envelope.items:
            self.step = None
            return None
        cursor = envelope.cursor or _text(envelope.items[-1], "id")
        if cursor is None:
            self.step = PaginationError(
                "The listing goes on, but its page names no cursor and its last item has no id"
            )
        elif cursor in self._seen or cursor == query.get("starting_after_id"):
            self.step = PaginationError(f"The server repeats the cursor {cursor!r}; the walk ends")
        else:
            self._seen.add(cursor)
            self.step = {**query, "starting_after_id": cursor}
        return self.step


class EndDate(Scheme):
    """`end_date` with the instant of the last item.

    Items of one instant may stand on both sides of the seam, so that pages overlap by a
    millisecond and what was seen in the page before is left out.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._found_new = True

    def unseen(self, envelope: Envelope) -> Sequence[tuple[int, Any]]:
        """The items but for those of the page before."""
        items = envelope.items
        fresh = [(i, item) for i, item in enumerate(items) if _text(item, "id") not in self._seen]
        self._found_new = bool(fresh)
        self._seen = {text for item in items if (text := _text(item, "id")) is not None}
        return fresh

    def after(self, query: Query, envelope: Envelope) -> Step:
        """The query up to the last item's instant, unless the page was the last or an empty one."""
        full = len(envelope.items) >= query["limit"]
        if not envelope.items or not (full if envelope.has_more is None else envelope.has_more):
            self.step = None
            return None
        instant = _instant(envelope.items[-1])
        # With one item a page the overlap would be the whole page.
        overlap = timedelta(milliseconds=1 if query["limit"] > 1 else 0)
        if instant is None:
            self.step = PaginationError("The listing goes on, but its last item has no created_at")
        elif not self._found_new or query.get("end_date") == instant + overlap:
            self.step = PaginationError(
                f"More items share the instant {instant.isoformat()} than a page holds; "
                "ask with a larger limit"
            )
        else:
            self.step = {**query, "end_date": instant + overlap}
        return self.step


def _text(item: Any, key: str) -> str | None:
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None


def _instant(item: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(item, "created_at") or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None

"""How each listing of the API is walked: pure, from a page to the query of the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import field, frozen

from .._checks import is_integer
from ..errors import PaginationError, PaginationLimitError, ResponseValidationError

Query = Mapping[str, Any]
"""What a page is asked for with: the query of a GET, the body of a POST."""
Step = Query | PaginationError | None
"""The next query, the error that stands in its place, or None at the end."""

_MOST_EMPTY: Final = 100
"""How many pages in a row may be empty, as filters may make them, before a listing has no end."""
OVERLAPS: Final = (timedelta(seconds=1), timedelta(milliseconds=1))
"""By how much queries that are cut at an instant overlap: servers may compare by the second."""

_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
_KNOWN: Final = frozenset({"object", "data_ref", "total", "has_more", "more_starting_after"})


@frozen
class Envelope:
    """A listing's answer, taken apart but for its items."""

    key: str
    """The JSON path of the array below the root."""
    items: Sequence[Any]
    total: int | None
    has_more: bool | None
    cursor: str | None
    extra: Mapping[str, Any] = field(factory=dict)


@frozen
class Turn:
    """What a page means for the walk."""

    items: Sequence[tuple[int, Any]]
    """The items that are new, each with its place in the page."""
    step: Step
    """What follows."""


class Scheme(ABC):
    """One walk of one listing."""

    @abstractmethod
    def turn(self, query: Query, envelope: Envelope) -> Turn:
        """Take a page in: say which items are new, and what follows."""

    def survey(self, query: Query) -> Query | None:  # noqa: ARG002
        """A query to send before the walk, whose answer `begin` is told of."""
        return None

    def begin(self, query: Query, survey: Envelope) -> Query:  # noqa: ARG002
        """The first query of the walk."""
        return query

    def ahead(self, step: Query, count: int) -> Sequence[Query]:
        """The next queries as far as they can be told now, `count` at the most."""
        return [step][:count]


@frozen
class Listing:
    """How an endpoint lists: where its array is, and how its pages follow one another."""

    key: str
    """The array's key where the answer's `data_ref` names none."""
    scheme: Callable[[], Scheme]
    """Begins a walk of `list`."""
    everything: Callable[[Query, int], Scheme] | None = None
    """Begins a walk of `list_all`: takes the first query, and how many pages to read at once."""
    time_field: str = "created_at"
    """What `list_all` walks along: a field of the items, an order, and the name of bounds."""
    under: str | None = None
    """The key of the object that holds the listing, where it is not the answer itself."""

    def open(self, body: Any) -> Envelope:
        """Take an answer apart.

        Raises:
            ResponseValidationError: The answer is not a listing, or its array is missing.
        """
        if self.under is None:
            return open_envelope(body, self.key)
        if not isinstance(body, dict):
            raise ResponseValidationError(json_path="$", expected="an object", value=body)
        rest = {name: value for name, value in body.items() if name != self.under}
        return open_envelope(body.get(self.under), self.key, at=self.under, extra=rest)


def open_envelope(
    body: Any, default_key: str, *, at: str = "", extra: Mapping[str, Any] | None = None
) -> Envelope:
    """Take a listing apart; its array is where `data_ref` says, or else under the default key.

    Raises:
        ResponseValidationError: It is not a listing, or its array is missing.
    """
    root = f"$.{at}" if at else "$"
    if not isinstance(body, dict):
        raise ResponseValidationError(json_path=root, expected="a listing", value=body)
    named = body.get("data_ref")
    key = named if isinstance(named, str) and named in body else default_key
    items = body.get(key)
    if not isinstance(items, list):
        raise ResponseValidationError(json_path=f"{root}.{key}", expected="an array", value=items)
    total, has_more, cursor = (body.get(k) for k in ("total", "has_more", "more_starting_after"))
    unknown = {k: v for k, v in body.items() if k not in _KNOWN and k != key}
    return Envelope(
        key=f"{at}.{key}" if at else key,
        items=items,
        total=total if is_integer(total) else None,
        has_more=has_more if isinstance(has_more, bool) else None,
        cursor=cursor if isinstance(cursor, str) and cursor else None,
        extra={**unknown, **(extra or {})},
    )


class PageNumbers(Scheme):
    """`page=1`, `page=2`, ... up to the last one that the API serves."""

    def __init__(self, *, last_page: int, way_on: str) -> None:
        self._last_page = last_page
        self._way_on = way_on
        self._total: int | None = None
        self._reached: int | None = None
        self._empty_page: int | None = None
        self._previous: Sequence[Any] = ()

    def turn(self, query: Query, envelope: Envelope) -> Turn:
        """The next page, while the total or `has_more` says that there is one."""
        page, items = query["page"], envelope.items
        if any(items) and items == self._previous:
            return Turn([], PaginationError(f"Page {page} repeats the one before it"))
        reached = (page - 1) * query["limit"] if self._reached is None else self._reached
        is_second_look = page == self._empty_page
        self._empty_page = None if items else page
        self._previous, self._total = items, envelope.total
        self._reached = reached + len(items)
        step: Step = None
        if not self._has_more(query, envelope):
            pass
        elif items or not is_second_look:
            # A page that is empty though there is more is asked for once again.
            step = self._numbered(query, page + 1 if items else page)
        else:
            step = PaginationError(
                f"Page {page} is empty, but the listing goes on: {self._reached:,} of "
                f"{_count(envelope.total)} items were read"
            )
        return Turn(list(enumerate(items)), step)

    def ahead(self, step: Query, count: int) -> Sequence[Query]:
        """All the pages that the total promises."""
        page = step["page"]
        promised = -(-(self._total or 0) // step["limit"])
        last = min(page + count - 1, max(promised, page), self._last_page)
        return [{**step, "page": number} for number in range(page, last + 1)]

    def _has_more(self, query: Query, envelope: Envelope) -> bool:
        if envelope.total is None and envelope.has_more is None:
            return bool(len(envelope.items) >= query["limit"])
        # Where the two contradict each other, the listing goes on.
        return bool(envelope.has_more) or (self._reached or 0) < (envelope.total or 0)

    def _numbered(self, query: Query, page: int) -> Step:
        if page <= self._last_page:
            return {**query, "page": page}
        return PaginationLimitError(
            f"The API serves no page after {self._last_page}: {self._reached:,} of "
            f"{_count(self._total)} items were read. {self._way_on}",
            page=self._last_page,
            total=self._total,
        )


class Cursor(Scheme):
    """A cursor that each page names for the next one, or else the id of its last item.

    Args:
        name: Where the cursor goes: a key of the query, or a path of keys in a body.
        limit: Where the page's size stands, likewise.
        by_id: Whether the last item's id is a cursor, for pages that name none.
    """

    def __init__(
        self, name: str = "starting_after_id", *, limit: str = "limit", by_id: bool = True
    ) -> None:
        self._name = name
        self._limit = limit
        self._by_id = by_id
        self._seen: set[str] = set()
        self._empty = 0

    def turn(self, query: Query, envelope: Envelope) -> Turn:
        """The query after the cursor, unless the page says that it was the last."""
        items, more = envelope.items, envelope.has_more
        self._empty = 0 if items else self._empty + 1
        if more is None:
            size = _get(query, self._limit)
            more = envelope.cursor is not None or (isinstance(size, int) and size <= len(items))
        return Turn(list(enumerate(items)), self._after(query, envelope) if more else None)

    def _after(self, query: Query, envelope: Envelope) -> Step:
        if self._empty == _MOST_EMPTY:
            return PaginationError(
                f"{_MOST_EMPTY} pages in a row are empty, but the listing goes on"
            )
        cursor = envelope.cursor
        if cursor is None and self._by_id and envelope.items:
            cursor = text_of(envelope.items[-1], "id")
        if cursor is None:
            return PaginationError(
                "The listing goes on, but its page names no cursor and has no last item with an id"
            )
        if cursor in self._seen or cursor == _get(query, self._name):
            return PaginationError(f"The server repeats the cursor {cursor!r}")
        self._seen.add(cursor)
        return _put(query, self._name, cursor)


class EndDate(Scheme):
    """A cursor that is an instant, such as `end_date`: newest first, those before it.

    Items of one instant may stand on both sides of a seam, and servers may compare instants by the
    second, so pages overlap by a second, or a millisecond where a page holds no second, and what
    was seen is left out. Each page is larger by what it shows again.

    Args:
        name: The key of the instant in the query.
        max_limit: The largest page that the API serves.
    """

    def __init__(self, name: str = "end_date", *, max_limit: int = 100) -> None:
        self._name = name
        self._max_limit = max_limit
        self._limit: int | None = None
        self._seam: datetime | None = None
        self._seen: dict[str, datetime] = {}
        self._overlap = OVERLAPS[0]

    def turn(self, query: Query, envelope: Envelope) -> Turn:
        """The query up to the last item's instant, unless the page was the last one."""
        items = envelope.items
        self._limit = self._limit or query["limit"]
        fresh = [(i, item) for i, item in enumerate(items) if text_of(item, "id") not in self._seen]
        if self._overlap == OVERLAPS[-1] and self._seam and len(fresh) == len(items):
            # The last item seen lies before the bound: only a bound by the second leaves it out.
            return Turn(fresh, _too_crowded(self._seam))
        full = len(items) >= query["limit"]
        if not (full if envelope.has_more is None else envelope.has_more):
            return Turn(fresh, None)
        for _, item in fresh:
            id_, at = text_of(item, "id"), instant_of(item, "created_at")
            if id_ is None or at is None:
                error = "The listing goes on, but an item has no id or no created_at"
                return Turn(fresh, PaginationError(error))
            self._seen[id_] = at
            self._seam = at if self._seam is None else min(self._seam, at)
        if self._seam is None:
            return Turn(fresh, PaginationError("The listing goes on, but its page is empty"))
        return Turn(fresh, self._before(query, self._seam, is_stuck=not fresh))

    def _before(self, query: Query, seam: datetime, *, is_stuck: bool) -> Step:
        if not is_stuck:
            self._overlap = OVERLAPS[0]
        elif query["limit"] >= self._max_limit:
            if self._overlap == OVERLAPS[-1]:
                return _too_crowded(seam)
            self._overlap = OVERLAPS[-1]
        latest = shifted(seam, OVERLAPS[0])
        self._seen = {id_: at for id_, at in self._seen.items() if at <= latest}
        bound = shifted(seam, self._overlap)
        limit = (self._limit or 1) + sum(at <= bound for at in self._seen.values())
        limit = self._max_limit if is_stuck else min(limit, self._max_limit)
        return {**query, self._name: bound, "limit": limit}


def _too_crowded(seam: datetime) -> PaginationError:
    return PaginationError(f"More items share the instant {seam.isoformat()} than a page holds")


def text_of(item: Any, key: str) -> str | None:
    """A text that an item holds, unless it is empty."""
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None


def instant_of(item: Any, key: str) -> datetime | None:
    """An instant that an item holds, in UTC."""
    try:
        return in_utc(datetime.fromisoformat(text_of(item, key) or ""))
    except (ValueError, OverflowError):
        return None


def in_utc(moment: datetime) -> datetime:
    """An instant in UTC, which is also meant where no zone is named.

    Raises:
        OverflowError: It lies outside the years 1 to 9999 in UTC.
    """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def shifted(moment: datetime, by: timedelta) -> datetime:
    """An instant moved by a span; the calendar's first or last instant where it has no other."""
    try:
        return moment + by
    except OverflowError:
        return _LAST if by > timedelta() else _FIRST


def _count(total: int | None) -> str:
    return "more" if total is None else f"{total:,}"


def _get(query: Query, path: str) -> Any:
    value: Any = query
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _put(query: Query, path: str, value: Any) -> Query:
    """The query with a value at a path of keys; the original stays as it is."""
    key, _, rest = path.partition(".")
    inner = query.get(key)
    return {
        **query,
        key: _put(inner if isinstance(inner, Mapping) else {}, rest, value) if rest else value,
    }

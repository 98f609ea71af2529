"""How a listing is walked past the last page that the API serves: by moving a window of time.

Items come oldest first. A window is a query of its own that begins just before the youngest item
seen so far, so that nothing that goes behind it can shift what lies ahead. Its pages go by number,
and each begins before the place where the last one ended. So the distinct ids that they show tell
whether the order stood still: there are as many as the place that the page reaches, or as the
window's total. A page that does not add up is put aside, and a new window begins.

Where more items share an instant than a window can pass, that instant is read as a *crowd*: a
window with both bounds, ordered by a field without ties, and as often as it takes until its
distinct ids are its total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import MAXYEAR, datetime, timedelta
from typing import Any, Final

from ..errors import (
    InvalidArgumentError,
    PaginationError,
    PaginationLimitError,
    ResponseValidationError,
)
from .listings import (
    OVERLAPS,
    Envelope,
    Query,
    Scheme,
    Step,
    Turn,
    in_utc,
    instant_of,
    shifted,
    text_of,
)
from .passes import LAST_PAGE, Crowd, WalkedPage, Window

COARSE, FINE = OVERLAPS
_LEAST_LIMIT: Final = 10
_MAX_RESTARTS: Final = 25
_MAX_QUIET_PASSES: Final = 8
_MAX_PASSES: Final = 40
_PAGES_A_READER: Final = 4


class Windows(Scheme):
    """One walk over every item that a query matches, oldest first.

    Args:
        query: The first query, with its bounds of time in JSON types if it has any.
        concurrency: How many pages are read at once. With 1 each page begins a window.
        time_field: The name of the order and of the bounds along which it walks.
        item_field: The items' own name for it, where that is another.
        unique_order: An order without ties, for crowds.
        way_on: What to do where an instant is too crowded, for the message.
    """

    def __init__(
        self,
        query: Query,
        concurrency: int,
        *,
        time_field: str = "created_at",
        item_field: str | None = None,
        unique_order: str,
        way_on: str,
    ) -> None:
        bounds = query.get(time_field) or {}
        self._field, self._unique_order, self._way_on = time_field, unique_order, way_on
        self._item_field = item_field or time_field
        self._lower = read_instant(bounds, "after", time_field)
        self._upper = read_instant(bounds, "before", time_field)
        self._pages = 1 if concurrency == 1 else concurrency * _PAGES_A_READER
        self._newest: datetime | None = None
        self._grain = FINE
        self._window = Window(self._lower, self._upper, query["limit"])
        # Everything before this instant was shown, and these ids at or after it.
        self._seam: datetime | None = None
        self._near: dict[str, datetime] = {}
        self._restarts = 0
        # Whether it surely drops what shares a second with a bound, as the first window tells.
        self._drops = False
        self._fine_total = 0
        # Whether the server lets in what lies before a bound, since it compares by the second.
        self._lets_in = False
        self._spans: list[tuple[datetime, datetime, datetime]] = []
        self._passed: datetime | None = None
        self._rest = 0

    def survey(self, query: Query) -> Query:
        """What to ask before the walk: the youngest item, past which the walk does not go."""
        return {**query, "order": f"-{self._field}", "limit": 1, "page": 1}

    def begin(self, query: Query, survey: Envelope) -> Query:
        """The first query of the walk."""
        page = self._page(survey)
        self._newest = page.items[0][1] if page.items else None
        return self._open(query, self._lower, due=page.total)

    def turn(self, query: Query, envelope: Envelope) -> Turn:
        """What is new on a page that adds up, and the next page or window."""
        page, window = self._page(envelope), self._window
        is_crowd = isinstance(window, Crowd)
        if not window.pages and page.total < window.due:
            if is_crowd:
                return Turn([], self._enter_crowd(query))
            if self._grain == FINE:
                # A server that compares by the second has dropped some, or they were deleted.
                self._grain, self._fine_total = COARSE, page.total
                return Turn([], self._open(query, self._behind_seam(), due=window.due))
            if self._seam is None and page.total > self._fine_total:
                self._drops = True
            if not self._drops:
                self._grain = FINE
        if is_crowd and page.total > window.limit * LAST_PAGE:
            return Turn([], self._enter_crowd(query))
        before = len(window.ids)
        window.note(query, page)
        if not (window.adds_up or is_crowd):
            return Turn([], self._restart(query))
        fresh = self._take(page)
        window.stale += len(window.ids) - before - len(fresh)
        return Turn(fresh, self._onwards(query))

    def ahead(self, step: Query, count: int) -> Sequence[Query]:
        """As many pages as the window's total promises, or the first of the next window."""
        window, queries = self._window, [step]
        while window.pages and len(queries) < count:
            place = queries[-1]["page"] * queries[-1]["limit"]
            following = window.following(place)
            is_last = window.pages + len(queries) >= self._cap(window)
            if following is None or place >= window.total or is_last:
                break
            queries.append(_numbered(step, following))
        return queries[:count]

    def _page(self, envelope: Envelope) -> WalkedPage:
        if envelope.total is None:
            raise ResponseValidationError(json_path="$.total", expected="a count", value=None)
        items = []
        for place, item in enumerate(envelope.items):
            id_, at = text_of(item, "id"), instant_of(item, self._item_field)
            if id_ is None or at is None:
                name = "id" if id_ is None else self._item_field
                at_path = f"$.{envelope.key}[{place}].{name}"
                raise ResponseValidationError(
                    json_path=at_path,
                    expected="an " + ("id" if id_ is None else "instant"),
                    value=item,
                )
            items.append((id_, at, item))
        return WalkedPage(envelope.total, items)

    def _take(self, page: WalkedPage) -> list[tuple[int, Any]]:
        """The items that no page before this one showed, and that were there at the beginning."""
        window, fresh = self._window, []
        # What lies before a window was read to its end, whatever the server lets in.
        floor = window.after if window.after != self._lower else None
        for place, (id_, at, item) in enumerate(page.items):
            is_later = self._newest is not None and at > self._newest
            is_before = floor is not None and at < floor
            self._lets_in = self._lets_in or is_before
            if id_ in self._near or is_later or is_before:
                continue
            fresh.append((place, item))
            self._near[id_] = at
            if not isinstance(window, Crowd):
                self._seam = at if self._seam is None else max(self._seam, at)
        if isinstance(window, Crowd):
            window.rest -= len(fresh)
        if fresh:
            self._restarts = 0
        return fresh

    def _onwards(self, query: Query) -> Step:
        window = self._window
        if isinstance(window, Crowd):
            return self._through_crowd(query, window)
        if window.is_read:
            # Whatever the total says, the walk has to come as far as the youngest item.
            if self._newest and self._seam and self._seam < self._newest and self._moves():
                return self._open(query, self._behind_seam(), due=0)
            return None
        following = window.following(window.place)
        is_full = window.pages >= self._cap(window) or following is None
        if is_full and self._moves():
            return self._open(query, self._behind_seam(), due=window.total - window.sound)
        if following is not None:
            return _numbered(query, following)
        return self._begin_crowd(query)

    def _restart(self, query: Query) -> Step:
        """A new window at the seam: the order changed, or what the window has."""
        window = self._window
        self._restarts += 1
        if self._restarts > _MAX_RESTARTS:
            return self._mismatch(len(window.ids), window.total)
        due = max(window.total - window.sound, 0)
        if self._moves():
            return self._open(query, self._behind_seam(), due=due)
        if window.pages > 1:
            return self._begin_crowd(query)
        return self._open(query, window.after, due=due)

    def _begin_crowd(self, query: Query) -> Step:
        """Read what is around the seam on its own."""
        if self._seam is None:
            return self._mismatch(len(self._window.ids), self._window.total)
        seam = _whole(self._seam)
        if self._passed == seam:
            return self._ceiling()
        self._passed = seam
        grains = [COARSE, FINE] if self._grain == COARSE else [FINE]
        spans = [(-grain, 2 * grain, grain) for grain in grains]
        # Bounds that count themselves in; then bounds that do not.
        spans += [(timedelta(), timedelta(), FINE), (-FINE, FINE, timedelta())]
        self._rest = max(self._window.total - self._window.sound, 0)
        self._spans = [(shifted(seam, a), shifted(seam, b), shifted(seam, c)) for a, b, c in spans]
        return self._enter_crowd(query)

    def _enter_crowd(self, query: Query) -> Step:
        if not self._spans:
            return self._ceiling()
        after, before, resume = self._spans.pop(0)
        due = sum(at == self._seam for at in self._near.values())
        limit = self._window.limit
        self._window = Crowd(self._cut(after), before, limit, due, resume=resume, rest=self._rest)
        return self._first_page(query, self._unique_order)

    def _through_crowd(self, query: Query, crowd: Crowd) -> Step:
        following = crowd.following(crowd.place)
        if not crowd.is_read and following is not None:
            return _numbered(query, following)
        if crowd.is_complete:
            return self._leave_crowd(query, crowd)
        if crowd.quiet >= _MAX_QUIET_PASSES or crowd.passes >= _MAX_PASSES:
            return self._mismatch(len(crowd.known), crowd.total)
        self._window = crowd.again()
        return self._first_page(query, self._unique_order)

    def _leave_crowd(self, query: Query, crowd: Crowd) -> Step:
        resume, due = crowd.resume, 0
        last = crowd.last or resume
        if self._lets_in or (crowd.before is not None and last > crowd.before):
            # The server compares by the second, and has shown all of this one.
            resume, due = shifted(last.replace(microsecond=0), COARSE), crowd.rest
        self._seam = resume if self._seam is None else max(self._seam, resume)
        return self._open(query, resume, due=due)

    def _open(self, query: Query, after: datetime | None, *, due: int) -> Query:
        """The first page of a window that reaches to the youngest item."""
        before = self._upper
        if self._newest is not None:
            # By the server's own clock, whatever ours says.
            bound = shifted(_whole(self._newest), self._grain)
            # Of the last year nothing is cut off: what lies behind it cannot be stated.
            if bound.year < MAXYEAR:
                before = bound if before is None else min(before, bound)
        limit = max(self._window.limit, _LEAST_LIMIT)
        self._window = Window(self._cut(after), before, limit, due)
        kept = shifted(self._seam, -2 * COARSE) if self._seam else None
        if kept is not None:
            after = min(kept, after or kept)
            self._near = {id_: at for id_, at in self._near.items() if at >= after}
        return self._first_page(query, self._field)

    def _first_page(self, query: Query, order: str) -> Query:
        window = self._window
        bounds = {"after": window.after, "before": window.before}
        stated = {name: bound for name, bound in bounds.items() if bound is not None}
        asked = {**query, "order": order, "page": 1, "limit": window.limit}
        return {**asked, self._field: stated} if stated else asked

    def _cap(self, window: Window) -> int:
        """How many pages to read of a window before the next one begins."""
        after = self._behind_seam()
        near = sum(after is not None and at >= after for at in self._near.values())
        # A window that begins in a crowd shows it again: better to pass it by numbers.
        crowded = max(near, window.stale) > window.limit // 4
        return LAST_PAGE if crowded or isinstance(window, Crowd) else self._pages

    def _moves(self) -> bool:
        """Whether a window at the seam begins later than the one at hand."""
        after, window = self._behind_seam(), self._window
        return after is not None and (window.after is None or after > window.after)

    def _behind_seam(self) -> datetime | None:
        if self._seam is None:
            return self._lower
        return self._cut(shifted(_whole(self._seam), -self._grain))

    def _cut(self, after: datetime | None) -> datetime | None:
        if after is None or self._lower is None:
            return after
        return max(after, self._lower)

    def _mismatch(self, shown: int, total: int) -> PaginationError:
        seam = "the beginning" if self._seam is None else self._seam.isoformat()
        return PaginationError(
            f"After {seam} the listing shows {shown:,} items of a total of {total:,}, however "
            "often it is read: the total is wrong, or items change faster than they can be "
            "listed; try again at a quieter time"
        )

    def _ceiling(self) -> PaginationLimitError:
        seam = "" if self._seam is None else self._seam.isoformat()
        most = self._window.limit * LAST_PAGE
        return PaginationLimitError(
            f"More items share the instant {seam} than the API lists ({most:,}). {self._way_on}",
            page=LAST_PAGE,
        )


def read_instant(
    bounds: Mapping[str, Any], name: str, where: str = "created_at"
) -> datetime | None:
    """A bound of time as an instant in UTC.

    Raises:
        InvalidArgumentError: It is not ISO 8601 text.
    """
    text = bounds.get(name)
    if text is None:
        return None
    try:
        return in_utc(datetime.fromisoformat(text))
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgumentError(
            f"{where}.{name}: expected a datetime or ISO 8601 text, got {text!r}"
        ) from None


def _numbered(query: Query, page: tuple[int, int]) -> Query:
    return {**query, "page": page[0], "limit": page[1]}


def _whole(moment: datetime) -> datetime:
    """An instant without what is finer than a millisecond, which queries cannot state."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

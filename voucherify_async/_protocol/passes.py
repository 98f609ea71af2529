"""What one pass over a window of a walk has shown, and whether it adds up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from attrs import define, field, frozen

from .listings import Query

LAST_PAGE: Final = 99


@define
class Window:
    """A query between two instants, and what its pages have shown in one pass."""

    after: datetime | None
    before: datetime | None
    limit: int
    due: int = 0
    """How many items it has at the least, unless its bounds drop some or some were deleted."""
    ids: set[str] = field(factory=set)
    total: int = 0
    place: int = 0
    pages: int = 0
    sound: int = 0
    """How many distinct ids there were when they last added up."""
    stale: int = 0
    """How many items it showed that windows before it had shown."""
    adds_up: bool = True

    def note(self, query: Query, page: WalkedPage) -> None:
        """Take a page in, and hold the distinct ids against the place that it reaches."""
        self.total = page.total
        self.place = max(self.place, query["page"] * query["limit"])
        self.pages += 1
        self.ids.update(page.ids)
        expected = min(self.place, self.total)
        if len(self.ids) != expected or len(set(page.ids)) != len(page.ids):
            self.adds_up = False
        if self.adds_up:
            self.sound = expected

    @property
    def is_read(self) -> bool:
        """Whether its pages have reached its total."""
        return self.place >= self.total

    def following(self, place: int) -> tuple[int, int] | None:
        """Number and size of the page that begins before a place and reaches furthest."""
        sizes = range(max(1, self.limit // 2), self.limit + 1)
        pages = [((place - 1) // size + 1, size) for size in sizes]
        ends = [(page * size, page, size) for page, size in pages if page <= LAST_PAGE]
        end, page, size = max(ends, default=(0, 0, 0))
        return (page, size) if end > place else None


@define
class Crowd(Window):
    """A window of (nearly) one instant, read until it has shown everything that it has."""

    resume: datetime = field(kw_only=True)
    """Where the walk goes on after it."""
    rest: int = field(kw_only=True)
    """How many items were still to come when it began."""
    last: datetime | None = field(default=None, kw_only=True)
    """The youngest instant that it showed."""
    known: set[str] = field(factory=set, kw_only=True)
    """What the passes since the total last changed have shown."""
    found: int = field(default=0, kw_only=True)
    """How many of them this pass was the first to show."""
    quiet: int = field(default=0, kw_only=True)
    """How many passes in a row showed nothing new."""
    passes: int = field(default=1, kw_only=True)

    def note(self, query: Query, page: WalkedPage) -> None:
        """Take a page in; where the total has changed, what was known counts no more."""
        if self.total != page.total and self.known:
            self.known, self.adds_up = set(self.ids), False
        super().note(query, page)
        self.found += len(set(page.ids) - self.known)
        self.last = max(
            [at for _, at, _ in page.items] + ([self.last] if self.last else []), default=None
        )
        self.known.update(page.ids)

    @property
    def is_complete(self) -> bool:
        """Whether the pass that has ended shows that nothing is missing."""
        return self.adds_up or (len(self.known) == self.total and not self.found)

    def following(self, place: int) -> tuple[int, int] | None:
        """The page that begins before a place, or at it where no other goes on."""
        plain = place // self.limit + 1
        return super().following(place) or ((plain, self.limit) if plain <= LAST_PAGE else None)

    def again(self) -> Crowd:
        """The next pass."""
        return Crowd(
            self.after,
            self.before,
            self.limit,
            resume=self.resume,
            rest=self.rest,
            last=self.last,
            total=self.total,
            # More than there are: some have left.
            known=self.known if len(self.known) <= self.total else set(self.ids),
            quiet=0 if self.found else self.quiet + 1,
            passes=self.passes + 1,
        )


@frozen
class WalkedPage:
    """A page of a walk, of which each item must have an id and an instant."""

    total: int
    items: Sequence[tuple[str, datetime, Any]]

    @property
    def ids(self) -> list[str]:
        """The ids of its items."""
        return [id_ for id_, _, _ in self.items]

"""Batches: as many items as fit into one request of 10 MB."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from .._protocol.bodies import MAX_BODY_BYTES


@frozen
class Batch:
    """The items of an import that go into one request: those from `start` to before `stop`."""

    start: int
    stop: int
    codes: Sequence[str] = field(repr=False)
    """The codes that are sent, in their order; unfit items have none here."""
    content: bytes = field(repr=False)
    is_csv: bool
    """Whether the content is a CSV file; otherwise it is a JSON array."""


class BodyBuilder:
    """A request body that grows item by item, up to 10 MB.

    Args:
        before: What stands before the items.
        between: What stands between two items.
        behind: What stands behind them.
        limit: How many bytes it may have.
    """

    def __init__(
        self,
        before: bytes = b"[",
        between: bytes = b",",
        behind: bytes = b"]",
        *,
        limit: int | None = None,
    ) -> None:
        self._before = before
        self._between = between
        self._behind = behind
        self._limit = MAX_BODY_BYTES if limit is None else limit
        self._items: list[bytes] = []
        self._size = len(before) + len(behind)

    def __len__(self) -> int:
        return len(self._items)

    def fits(self, item: bytes) -> bool:
        """Whether there is room for one more item."""
        between = len(self._between) if self._items else 0
        return self._size + between + len(item) <= self._limit

    def add(self, item: bytes) -> None:
        """Add an item."""
        self._size += len(item) + (len(self._between) if self._items else 0)
        self._items.append(item)

    def take(self) -> bytes:
        """Return the body, and begin another one."""
        content = self._before + self._between.join(self._items) + self._behind
        self._items.clear()
        self._size = len(self._before) + len(self._behind)
        return content

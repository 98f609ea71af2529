"""Request bodies that hold as many items as the API takes at once."""

from __future__ import annotations

from .._protocol.bodies import MAX_BODY_BYTES


class Body:
    """A JSON array, with something around it, that grows item by item up to the bound.

    Args:
        before: What stands before the items.
        behind: What stands behind them.
    """

    def __init__(self, before: bytes = b"[", behind: bytes = b"]") -> None:
        self._before = before
        self._behind = behind
        self._items: list[bytes] = []
        self._size = len(before) + len(behind)

    def __len__(self) -> int:
        return len(self._items)

    def fits(self, item: bytes) -> bool:
        """Whether there is room for one more item."""
        return self._size + len(item) <= MAX_BODY_BYTES

    def add(self, item: bytes) -> None:
        """Add an item."""
        self._items.append(item)
        self._size += len(item) + 1

    def take(self) -> bytes:
        """The body so far; another one is begun."""
        content = self._before + b",".join(self._items) + self._behind
        self._items.clear()
        self._size = len(self._before) + len(self._behind)
        return content

"""Vouchers by code, by id and in order: built for hundreds of thousands of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from .._refusals import duplicate, not_found
from .stored_voucher import StoredVoucher

Predicate: TypeAlias = Callable[[StoredVoucher], bool]
_Key: TypeAlias = Callable[[StoredVoucher], Any]

_KEYS: dict[str, _Key] = {
    "created_at": lambda voucher: (voucher.created, voucher.sequence),
    "updated_at": lambda voucher: (voucher.updated, voucher.sequence),
    "code": lambda voucher: voucher.code,
}
ORDERS = ("created_at", "-created_at", "updated_at", "-updated_at", "code", "-code")
_REMEMBERED = 16


@dataclass(frozen=True, slots=True)
class Selection:
    """Which vouchers a listing asks for. ``created`` bounds are exclusive microseconds."""

    order: str = "-created_at"
    after: int | None = None
    before: int | None = None
    # Identifies the predicate, so that the pages of one listing are filtered once.
    key: str = ""
    matches: Predicate | None = None


class VoucherStore:
    """The vouchers, with sorted views that are made on first use and kept up from then on."""

    def __init__(self) -> None:
        self._by_code: dict[str, StoredVoucher] = {}
        self._by_id: dict[str, StoredVoucher] = {}
        self._views: dict[str, list[StoredVoucher]] = {"created_at": []}
        self._found: dict[tuple[object, ...], list[StoredVoucher]] = {}
        self._sequence = 0
        self.version: int = 0

    def __len__(self) -> int:
        return len(self._by_code)

    def __iter__(self) -> Iterator[StoredVoucher]:
        return iter(self._by_code.values())

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def find(self, identifier: str) -> StoredVoucher | None:
        """Return the voucher with this code or id, or None."""
        return self._by_code.get(identifier) or self._by_id.get(identifier)

    def find_code(self, code: str) -> StoredVoucher | None:
        """Return the voucher with this code, or None."""
        return self._by_code.get(code)

    def get(self, identifier: str) -> StoredVoucher:
        """Return the voucher with this code or id, or raise the API's 404."""
        voucher = self.find(identifier)
        if voucher is None:
            raise not_found("voucher", identifier)
        return voucher

    def add(self, voucher: StoredVoucher) -> None:
        """Add a voucher, or raise the API's 409 if its code is taken."""
        if voucher.code in self._by_code:
            raise duplicate(voucher.code)
        self._sequence += 1
        voucher.sequence = self._sequence
        self._by_code[voucher.code] = voucher
        self._by_id[voucher.id] = voucher
        if voucher.campaign:
            voucher.campaign.members += 1
        for name, view in self._views.items():
            _insert(view, voucher, _KEYS[name])
        self._changed()

    def remove(self, voucher: StoredVoucher) -> None:
        """Remove a voucher; its code is free again."""
        del self._by_code[voucher.code]
        del self._by_id[voucher.id]
        if voucher.campaign:
            voucher.campaign.members -= 1
        for name, view in self._views.items():
            del view[_position(view, voucher, _KEYS[name])]
        self._changed()

    def touch(self, voucher: StoredVoucher, updated: int, updated_at: str) -> None:
        """Note that a voucher changed, and when."""
        view = self._views.get("updated_at")
        if view is not None:
            del view[_position(view, voucher, _KEYS["updated_at"])]
        voucher.updated, voucher.updated_at = updated, updated_at
        if view is not None:
            _insert(view, voucher, _KEYS["updated_at"])
        self._changed()

    def select(self, selection: Selection) -> list[StoredVoucher]:
        """Return the vouchers of a selection in ascending order of its sort key."""
        name = selection.order.removeprefix("-")
        view = self._view(name)
        bounded = selection.after is not None or selection.before is not None
        if not bounded and selection.matches is None:
            return view
        remembered = (self.version, name, selection.after, selection.before, selection.key)
        if (found := self._found.get(remembered)) is None:
            found = self._search(view, name, selection)
            while len(self._found) >= _REMEMBERED:
                del self._found[next(iter(self._found))]
            self._found[remembered] = found
        return found

    def page(
        self, selection: Selection, number: int, limit: int
    ) -> tuple[list[StoredVoucher], int]:
        """Return one page of a selection and the number of all vouchers in it."""
        found = self.select(selection)
        start = (number - 1) * limit
        if selection.order.startswith("-"):
            end = len(found) - start
            return found[max(end - limit, 0) : max(end, 0)][::-1], len(found)
        return found[start : start + limit], len(found)

    def _search(
        self, view: list[StoredVoucher], name: str, selection: Selection
    ) -> list[StoredVoucher]:
        after, before, matches = selection.after, selection.before, selection.matches
        if name == "created_at":
            start = 0 if after is None else bisect_right(view, after, key=_created)
            end = len(view) if before is None else bisect_left(view, before, key=_created)
            view = view[start:end]
        else:
            view = [
                voucher
                for voucher in view
                if (after is None or voucher.created > after)
                and (before is None or voucher.created < before)
            ]
        return view if matches is None else list(filter(matches, view))

    def _view(self, name: str) -> list[StoredVoucher]:
        if name not in self._views:
            self._views[name] = sorted(self._by_code.values(), key=_KEYS[name])
        return self._views[name]

    def _changed(self) -> None:
        self.version += 1
        self._found.clear()


def _created(voucher: StoredVoucher) -> int:
    return voucher.created


def _insert(view: list[StoredVoucher], voucher: StoredVoucher, key: _Key) -> None:
    if not view or key(view[-1]) <= key(voucher):
        view.append(voucher)
    else:
        insort(view, voucher, key=key)


def _position(view: list[StoredVoucher], voucher: StoredVoucher, key: _Key) -> int:
    return bisect_left(view, key(voucher), key=key)

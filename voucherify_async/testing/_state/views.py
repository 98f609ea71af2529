"""What a test sees of the state: vouchers as they are served, and settings as attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, Generic, TypeVar

from .._messages import JsonObject
from .voucher_store import VoucherStore

_T = TypeVar("_T")


class ServedVouchers(Mapping[str, JsonObject]):
    """The vouchers by code, each as ``GET /v1/vouchers/{code}`` would serve it now."""

    def __init__(self, store: VoucherStore) -> None:
        self._store = store

    def __getitem__(self, code: str) -> JsonObject:
        if code not in self._store:
            raise KeyError(code)
        return self._store.get(code).render()

    def __contains__(self, code: object) -> bool:
        return code in self._store

    def __iter__(self) -> Iterator[str]:
        return iter([voucher.code for voucher in self._store])

    def __len__(self) -> int:
        return len(self._store)


class Setting(Generic[_T]):
    """An attribute that lives deeper in the server."""

    def __init__(self, *path: str) -> None:
        self._path = path

    def _owner(self, fake: Any) -> Any:
        return attrgetter(".".join(("_state", *self._path[:-1])))(fake)

    def __get__(self, fake: Any, owner: type) -> _T:
        value: _T = getattr(self._owner(fake), self._path[-1])
        return value

    def __set__(self, fake: Any, value: _T) -> None:
        setattr(self._owner(fake), self._path[-1], value)

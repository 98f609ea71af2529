"""Models, and whatever callers put into them, to JSON types."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, get_args

import attrs
from cattrs import Converter

from .._sentinels import UNSET
from ._annotations import (
    EXACT,
    Mismatch,
    attributes,
    core_type,
    is_instant_or_text,
    is_mapping,
    is_open_enum,
    is_sequence,
    json_name,
)

UnstructureHook = Callable[[Any], Any]


def format_datetime(value: Any) -> str:
    """The ISO 8601 text of an aware datetime, as the API writes it."""
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value.isoformat().replace("+00:00", "Z")
    # A naive datetime names no instant: it would be read in another zone than it was written in.
    raise Mismatch("a datetime with a time zone", value)


def format_instant(value: Any) -> str:
    """The text of an aware datetime, or the ISO 8601 text that the caller wrote."""
    return value if isinstance(value, str) else format_datetime(value)


def _format_date(value: Any) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        return format_datetime(value)
    return value.isoformat()


def _exactly(kind: type, expected: str) -> UnstructureHook:
    def check(value: Any) -> Any:
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
            return value
        raise Mismatch(expected, value)

    return check


def _number(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise Mismatch("a number", value)


_text = _exactly(str, "a string")
_LEAVES: Mapping[Any, UnstructureHook] = {
    str: _text,
    int: _exactly(int, "an integer"),
    bool: _exactly(bool, "true or false"),
    float: _number,
    datetime: format_datetime,
    date: _format_date,
}


class Unstructuring:
    """The hooks of one converter."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter

    def plain(self, value: Any) -> Any:
        """JSON types of a value of any kind: metadata, filters, bodies written as mappings."""
        if isinstance(value, (str, int, float)) or value is None:
            return value
        if isinstance(value, Mapping):
            return self._mapping(self.plain)(value)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._sequence(self.plain)(value)
        if attrs.has(type(value)):
            return self._converter.unstructure(value)
        if isinstance(value, date):
            return _format_date(value)
        # A type of the user's own, with a hook registered for it; cattrs leaves others as they are.
        written = value if value is UNSET else self._converter.unstructure(value)
        if written is value:
            raise Mismatch("a value that JSON can express", value)
        return self.plain(written)

    def model(self, cls: type) -> UnstructureHook:
        """The hook of a model: what is unset, or None where None means absent, is left out."""
        table: list[tuple[str, str, type | None, UnstructureHook, bool]] = []

        def prepare() -> None:
            for attribute, core in attributes(cls):
                exact = str if is_open_enum(core) else EXACT.get(core)
                hook, omits_none = self._hook(core), attribute.default is None
                table.append((attribute.name, json_name(attribute), exact, hook, omits_none))

        def unstructure(model: Any) -> dict[str, Any]:
            if not table:
                prepare()
            result: dict[str, Any] = {}
            key = ""
            try:
                for name, key, exact, hook, omits_none in table:
                    value = getattr(model, name)
                    if value is None:
                        if not omits_none:
                            result[key] = None
                    elif type(value) is exact:
                        result[key] = value
                    elif value is not UNSET:
                        result[key] = hook(value)
            except Mismatch as error:
                error.path.append(key)
                raise
            for key, value in model.extra.items():
                result.setdefault(key, self.plain(value))
            return result

        return unstructure

    def _hook(self, core: Any) -> UnstructureHook:
        if core in _LEAVES:
            return _LEAVES[core]
        if is_open_enum(core):
            return _text
        if is_instant_or_text(core):
            return format_instant
        if is_sequence(core):
            return self._sequence(self._hook(core_type(get_args(core)[0])))
        if is_mapping(core):
            return self._mapping(self._hook(core_type(get_args(core)[1])))
        # A model, a union of models, anything: a plain mapping in its place is as good.
        return self.plain

    @staticmethod
    def _sequence(hook: UnstructureHook) -> UnstructureHook:
        def unstructure(values: Any) -> list[Any]:
            if isinstance(values, (str, bytes, Mapping)):
                raise Mismatch("a list", values)
            items: list[Any] = []
            try:
                for value in values:
                    items.append(None if value is None else hook(value))
            except Mismatch as error:
                error.path.append(len(items))
                raise
            return items

        return unstructure

    @staticmethod
    def _mapping(hook: UnstructureHook) -> UnstructureHook:
        def unstructure(values: Any) -> dict[str, Any]:
            if not isinstance(values, Mapping):
                raise Mismatch("an object", values)
            result: dict[str, Any] = {}
            key: Any = ""
            try:
                for key, value in values.items():
                    if value is not UNSET:
                        result[_text(key)] = None if value is None else hook(value)
            except Mismatch as error:
                error.path.append(str(key))
                raise
            return result

        return unstructure

"""JSON types to models: strict on values, tolerant of shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, get_args

import attrs
from cattrs import Converter

from .._sentinels import UNSET
from ._annotations import EXACT, Mismatch, attributes, core_type, is_open_enum, json_name

StructureHook = Callable[[Any, Any], Any]


def structure_str(value: Any, _: Any) -> str:
    """A string, which an enum value of tomorrow is too."""
    if isinstance(value, str):
        return value
    raise Mismatch("a string", value)


def _structure_bool(value: Any, _: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise Mismatch("true or false", value)


def _structure_int(value: Any, _: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    # JSON has one number type, so 10.0 is the integer 10.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Mismatch("an integer", value)


def _structure_float(value: Any, _: Any) -> float:
    # An integer stays one, so that 10 comes back as 10 and not as 10.0.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise Mismatch("a number", value)


def _structure_datetime(value: Any, _: Any) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    elif isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise Mismatch("an ISO 8601 date and time", value)


def _structure_date(value: Any, _: Any) -> date:
    # A datetime is a date too, so a bare-date field that comes with a time keeps it.
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise Mismatch("an ISO 8601 date", value) from None
    if type(value) is date:
        return value
    return _structure_datetime(value, datetime)


def structure_instant_or_text(value: Any, _: Any) -> str | datetime:
    """A request's instant, which may be written as text."""
    return value if isinstance(value, datetime) else structure_str(value, str)


def structure_any(value: Any, _: Any) -> Any:
    """A value of any type, as it came."""
    return value


LEAVES: Mapping[type, StructureHook] = {
    str: structure_str,
    bool: _structure_bool,
    int: _structure_int,
    float: _structure_float,
    datetime: _structure_datetime,
    date: _structure_date,
}


def _structure_object(value: Any, _: Any) -> Any:
    if isinstance(value, Mapping):
        return value
    raise Mismatch("an object", value)


def sequence_structurer(annotation: Any, converter: Converter) -> StructureHook:
    """The hook of a JSON array, which becomes a tuple."""
    item_type = core_type(get_args(annotation)[0])
    hook = converter.get_structure_hook(item_type)

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise Mismatch("an array", value)
        items: list[Any] = []
        try:
            for item in value:
                items.append(None if item is None else hook(item, item_type))
        except Mismatch as error:
            error.path.append(len(items))
            raise
        return tuple(items)

    return structure


def mapping_structurer(annotation: Any, converter: Converter) -> StructureHook:
    """The hook of a JSON object whose keys are data, such as metadata."""
    item_type = core_type(get_args(annotation)[1])
    if item_type is Any:
        return _structure_object
    hook = converter.get_structure_hook(item_type)

    def structure(value: Any, _: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        key = ""
        try:
            for key, item in _structure_object(value, None).items():
                result[key] = None if item is None else hook(item, item_type)
        except Mismatch as error:
            error.path.append(key)
            raise
        return result

    return structure


def model_structurer(cls: type, converter: Converter) -> StructureHook:
    """The hook of a model: one loop over the keys that came; what did not come costs nothing."""
    # Filled at the first use: a model may hold itself, and an unused one costs nothing at import.
    table: dict[str, tuple[str, type | None, StructureHook, Any, bool]] = {}
    required: dict[str, str] = {}

    def prepare() -> None:
        for attribute, core in attributes(cls):
            exact = str if is_open_enum(core) else EXACT.get(core)
            hook = converter.get_structure_hook(core)
            keeps_null = attribute.default is UNSET
            table[json_name(attribute)] = (attribute.name, exact, hook, core, keeps_null)
            if attribute.default is attrs.NOTHING:
                required[attribute.name] = json_name(attribute)

    def structure(data: Any, _: Any) -> Any:
        if type(data) is not dict and not isinstance(data, Mapping):
            if isinstance(data, cls):
                return data
            raise Mismatch("an object", data)
        if not table:
            prepare()
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        key = ""
        try:
            for key, value in data.items():
                entry = table.get(key)
                if entry is None:
                    extra[key] = value
                    continue
                name, exact, hook, core, keeps_null = entry
                if value is None:
                    if keeps_null:
                        known[name] = None
                elif type(value) is exact:
                    known[name] = value
                else:
                    known[name] = hook(value, core)
        except Mismatch as error:
            error.path.append(key)
            raise
        for name in required.keys() - known.keys():
            raise Mismatch(f"the required key {required[name]!r}", data)
        return cls(**known, extra=extra)

    return structure

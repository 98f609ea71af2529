"""JSON types to models: strict on values, tolerant of shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, cast, get_args

from cattrs import Converter

from .annotations import EXACT, Mismatch, core_type, is_number

StructureHook = Callable[[Any, Any], Any]
parse_instant: Final = datetime.fromisoformat


def structure_str(value: Any, _: Any) -> str:
    """A string, which an unknown enum value is too."""
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
    if is_number(value):
        return cast("float", value)
    raise Mismatch("a number", value)


def _structure_datetime(value: Any, _: Any) -> datetime:
    try:
        moment = parse_instant(value)
    except (TypeError, ValueError):
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        raise Mismatch("an ISO 8601 date and time", value) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


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


def structure_value(value: Any, _: Any) -> Any:
    """A value of any JSON type; an array becomes a tuple, as elsewhere in models."""
    return tuple(value) if isinstance(value, list) else value


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

    exact = {EXACT[item_type]} if item_type in EXACT else None

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise Mismatch("an array", value)
        if exact is not None and exact.issuperset(map(type, value)):
            return tuple(value)
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
        items = _structure_object(value, None).items()
        result: dict[str, Any] = {}
        key = ""
        try:
            for key, item in items:
                result[key] = None if item is None else hook(item, item_type)
        except Mismatch as error:
            error.path.append(key)
            raise
        return result

    return structure

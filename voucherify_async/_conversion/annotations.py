"""What both directions of the conversion share: annotations taken apart, and the mismatch error."""

from __future__ import annotations

import functools
import math
import operator
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal, Union, get_args, get_origin

import attrs

from .._unset import UNSET, Unset

_UNIONS: Final = (Union, types.UnionType)
_JSON_TYPES: Final = frozenset({str, int, float, bool, datetime})


class Mismatch(Exception):
    """A value contradicts its field; the path grows while the error climbs out."""

    def __init__(self, expected: str, value: Any) -> None:
        super().__init__(expected)
        self.expected = expected
        self.value = value
        self.path: list[str | int] = []

    def json_path(self, root: str = "$") -> str:
        steps = (f"[{s}]" if isinstance(s, int) else f".{s}" for s in reversed(self.path))
        return (root + "".join(steps)).removeprefix(".")


def core_type(annotation: Any) -> Any:
    """What is left of an annotation without ``None`` and ``Unset``."""
    if get_origin(annotation) not in _UNIONS:
        return annotation
    members = [a for a in get_args(annotation) if a is not type(None) and a is not Unset]
    if set(members) == {int, float}:
        return float
    return functools.reduce(operator.or_, members)


def is_open_enum(annotation: Any) -> bool:
    """Whether an annotation is ``Literal["A", "B"]`` or ``Literal["A", "B"] | str``."""
    members = get_args(annotation) if get_origin(annotation) in _UNIONS else (annotation,)
    return all(m is str or get_origin(m) is Literal for m in members) and annotation is not str


def is_instant_or_text(annotation: Any) -> bool:
    return get_origin(annotation) in _UNIONS and set(get_args(annotation)) == {datetime, str}


def is_value(annotation: Any) -> bool:
    """Whether an annotation is a union of JSON's own types, such as a filter's operand."""
    if get_origin(annotation) not in _UNIONS:
        return False
    return all(is_sequence(m) or m in _JSON_TYPES for m in get_args(annotation))


def is_sequence(annotation: Any) -> bool:
    return get_origin(annotation) in (Sequence, list, tuple)


def is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) in (Mapping, dict)


def is_model(cls: Any) -> bool:
    """Whether a class is one of the library's models, or made like them."""
    return attrs.has(cls) and any(a.name == "extra" for a in attrs.fields(cls))


# Types whose values pass without a look. An integer is one where any number is taken; a float may
# be NaN, which JSON has no word for.
EXACT: Final[dict[Any, type]] = {str: str, int: int, bool: bool, float: int}


def is_number(value: Any) -> bool:
    """Whether a value is a number that JSON can express."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def admits_none(annotation: Any) -> bool:
    return get_origin(annotation) in _UNIONS and type(None) in get_args(annotation)


def tells_null(attribute: attrs.Attribute[Any]) -> bool:
    """Whether a null is something else than a missing key."""
    return attribute.default is UNSET or attribute.default is attrs.NOTHING


def json_name(attribute: attrs.Attribute[Any]) -> str:
    """The JSON key of a model's attribute."""
    name: str = attribute.metadata.get("json", attribute.name)
    return name


def is_lenient(attribute: attrs.Attribute[Any], core: Any) -> bool:
    """Whether a value that cannot be read is kept in `extra`: dates, and fields marked so."""
    if attribute.default is not None:
        return False
    return core in (datetime, date) or bool(attribute.metadata.get("lenient"))


def attributes(cls: type) -> list[tuple[attrs.Attribute[Any], Any]]:
    attrs.resolve_types(cls)
    return [(a, core_type(a.type)) for a in attrs.fields(cls) if a.name != "extra"]

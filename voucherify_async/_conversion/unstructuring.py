"""Models, and whatever callers put into them, to JSON types."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, cast, get_args
from uuid import UUID

from cattrs import Converter

from .._unset import UNSET
from .annotations import (
    EXACT,
    Mismatch,
    attributes,
    core_type,
    is_instant_or_text,
    is_mapping,
    is_number,
    is_open_enum,
    is_sequence,
    json_name,
    tells_null,
)
from .marks import Lone, is_one_or_many

UnstructureHook = Callable[[Any], Any]


def format_datetime(value: Any) -> str:
    """The text of an aware datetime as the API documents it: UTC, with milliseconds at most."""
    moment = value if value.__class__ is datetime and value.tzinfo is UTC else _in_utc(value)
    # Cut where the milliseconds end, or the seconds.
    return moment.isoformat()[: 23 if moment.microsecond >= 1000 else 19] + "Z"


def _in_utc(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        # A naive datetime names no instant: it would be read in another zone than it was meant in.
        raise Mismatch("a datetime with a time zone", value)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Mismatch("a datetime that UTC can express", value) from None


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
    if is_number(value):
        return cast("float", value)
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


_AS_IT_IS: Final = frozenset({str, int, float, bool, type(None)})


def _is_flat(value: dict[Any, Any]) -> bool:
    """Whether an object, such as most metadata, is made of JSON's own scalars."""
    return all(type(k) is str and type(v) in _AS_IT_IS for k, v in value.items())


def refuse_nan(value: Any) -> None:
    """Look through JSON types for the numbers that JSON has no word for.

    Raises:
        Mismatch: There is one.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise Mismatch("a number that JSON can express", value)
    if not isinstance(value, (dict, list)):
        return
    for step, part in value.items() if isinstance(value, dict) else enumerate(value):
        try:
            refuse_nan(part)
        except Mismatch as error:
            error.path.append(step)
            raise


class Unstructuring:
    """The hooks of one converter."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter

    def plain(self, value: Any) -> Any:
        """JSON types of a value of any kind: metadata, filters, bodies written as mappings."""
        kind = type(value)
        if kind in _AS_IT_IS or isinstance(value, (str, int, float)):
            return value
        if hasattr(kind, "__attrs_attrs__"):
            return self._converter.unstructure(value)
        if isinstance(value, Mapping):
            return self._mapping(self.plain)(value)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._sequence(self.plain)(value)
        if isinstance(value, (date, UUID)):
            return str(value) if isinstance(value, UUID) else _format_date(value)
        # A type of the user's own, with a hook registered for it; cattrs leaves others as they are.
        written = value if value is UNSET else self._converter.unstructure(value)
        if written is value:
            raise Mismatch("a value that JSON can express", value)
        return self.plain(written)

    def model(self, cls: type) -> UnstructureHook:
        """The hook of a model: what is unset, or None where None means absent, is left out.

        It is written for its class, at its first use, as the structure hooks are.
        """
        written: list[UnstructureHook] = []

        def unstructure(model: Any) -> dict[str, Any]:
            if not written:
                written.append(self._write_hook(cls))
            return cast("dict[str, Any]", written[0](model))

        return unstructure

    def _write_hook(self, cls: type) -> UnstructureHook:
        names: dict[str, Any] = {"UNSET": UNSET, "Mismatch": Mismatch, "plain": self.plain}
        body: list[str] = []
        for number, (attribute, core) in enumerate(attributes(cls)):
            names[f"hook{number}"] = self._hook(core)
            exact = str if is_open_enum(core) else EXACT.get(core)
            key = json_name(attribute)
            null = f" result[{key!r}] = None" if tells_null(attribute) else " pass"
            body += [
                f"v = model.{attribute.name}",
                # An empty text stands for an absent one where a text is typed as always there.
                "if v is None:" if attribute.default != "" else "if not v:",
                null,
                *([f"elif v.__class__ is {exact.__name__}: result[{key!r}] = v"] if exact else []),
                "elif v is not UNSET:",
                f" at = {key!r}; result[{key!r}] = hook{number}(v)",
            ]
        lines = [
            "def unstructure(model):",
            " result = {}",
            " at = ''",
            " try:",
            *(f"  {line}" for line in body or ["pass"]),
            " except Mismatch as error:",
            "  error.path.append(at)",
            "  raise",
            " for key, value in model.extra.items():",
            "  if key not in result: result[key] = plain(value)",
            " return result",
        ]
        # Made of the class's own field names only; the keys stand in it by repr.
        exec("\n".join(lines), names)  # noqa: S102
        return cast("UnstructureHook", names["unstructure"])

    def _hook(self, core: Any) -> UnstructureHook:
        leaf = _text if is_open_enum(core) else _LEAVES.get(core)
        if leaf is not None:
            return leaf
        if is_instant_or_text(core):
            return format_instant
        if is_one_or_many(core):
            many = self._hook(get_args(core)[0])
            return lambda values: many(values)[0] if isinstance(values, Lone) else many(values)
        if is_sequence(core):
            return self._sequence(self._hook(core_type(get_args(core)[0])))
        if is_mapping(core):
            return self._mapping(self._hook(core_type(get_args(core)[1])))
        # A model, a union of models, anything: a plain mapping in its place is as good.
        return self.plain

    @staticmethod
    def _sequence(hook: UnstructureHook) -> UnstructureHook:
        def unstructure(values: Any) -> list[Any]:
            # An iterator would be empty when a body is written for the second time.
            refused = isinstance(values, (str, bytes, Mapping, Iterator))
            if refused or not isinstance(values, Iterable):
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
            if type(values) is dict and _is_flat(values):
                return values.copy()
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

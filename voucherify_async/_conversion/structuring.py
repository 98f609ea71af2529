"""JSON types to models: strict on values, tolerant of shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final, cast, get_args

import attrs
from cattrs import Converter

from .._unset import UNSET
from .annotations import EXACT, Mismatch, attributes, core_type, is_open_enum, json_name

StructureHook = Callable[[Any, Any], Any]
_parse_instant: Final = datetime.fromisoformat


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
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise Mismatch("a number", value)


def _structure_datetime(value: Any, _: Any) -> datetime:
    try:
        moment = _parse_instant(value)
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


def model_structurer(cls: type, converter: Converter) -> StructureHook:
    """The hook of a model, written for its class; cattrs asks for it at its first use.

    It is straight-line code: a loop over the fields would take three times as long.

    Laid over the defaults, an object has its known keys in the order of the fields and its unknown
    ones behind them, so that all values are taken out at once. A value of just the field's own
    type passes without a call.
    """
    fields = attributes(cls)
    defaults = {
        json_name(attribute): UNSET if _tells_null(attribute) else None for attribute, _ in fields
    }
    names: dict[str, Any] = {"cls": cls, "UNSET": UNSET, "Mismatch": Mismatch, "as_dict": _as_dict}
    twin = _open_twin(cls)
    names.update(defaults=defaults, split=_split, Open=twin)
    body: list[str] = []
    for number, (attribute, core) in enumerate(fields):
        names[f"hook{number}"] = _deferred_hook(core, converter, names, f"hook{number}")
        names[f"type{number}"], names[f"default{number}"] = core, _default_maker(attribute.default)
        body += _field_lines(attribute, core, number)
    values = "".join(f"v{number}," for number in range(len(fields)))
    lines = [
        "def structure(data, _):",
        " if data.__class__ is not dict:",
        "  if isinstance(data, cls): return data",
        "  data = as_dict(data)",
        " found = defaults | data",
        f" extra = {{}} if len(found) == {len(fields)} else split(found, {len(fields)})",
        *([f" {values} = found.values()"] if fields else []),
        " at = None",
        " try:",
        *(f"  {line}" for line in body or ["pass"]),
        " except Mismatch as error:",
        "  if at is not None: error.path.append(at)",
        "  raise",
        *_making_lines(cls, [attribute for attribute, _ in fields], twin),
    ]
    # Made of the class's own field names only, and those stand in it by repr.
    exec("\n".join(lines), names)  # noqa: S102
    return cast("StructureHook", names["structure"])


def _deferred_hook(
    core: Any, converter: Converter, names: dict[str, Any], name: str
) -> StructureHook:
    """Stands in for a field's hook until its first use, and then puts that in its own place.

    So the first call of a process pays only for what is in its answer, and a model may hold itself.
    """

    def structure(value: Any, _: Any) -> Any:
        names[name] = hook = converter.get_structure_hook(core)
        return hook(value, core)

    return structure


def _tells_null(attribute: attrs.Attribute[Any]) -> bool:
    """Whether a null is something else than a missing key."""
    return attribute.default is UNSET or attribute.default is attrs.NOTHING


def _field_lines(attribute: attrs.Attribute[Any], core: Any, number: int) -> list[str]:
    value, key = f"v{number}", json_name(attribute)
    lines: list[str] = []
    conditions = [f"{value} is not None"]
    if attribute.default is UNSET:
        conditions.append(f"{value} is not UNSET")
    elif attribute.default is attrs.NOTHING:
        missing = f"the required key {key!r}"
        lines.append(f"if {value} is UNSET: raise Mismatch({missing!r}, data)")
    exact = dict if core == Mapping[str, Any] else str if is_open_enum(core) else EXACT.get(core)
    if exact is not None:
        conditions.insert(0, f"{value}.__class__ is not {exact.__name__}")
    lines.append(f"if {' and '.join(conditions)}:")
    lines.append(f" at = {key!r}; {value} = hook{number}({value}, type{number}); at = None")
    if attribute.default not in (None, UNSET, attrs.NOTHING):
        # A null in the place of a constant, such as the tag of a discount.
        lines.append(f"if {value} is None: {value} = default{number}()")
    return lines


def _default_maker(default: Any) -> Callable[[], Any]:
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        # One that asks for the half-made model is not asked: the field is then None.
        maker: Callable[[], Any] = type(None) if default.takes_self else default.factory
        return maker
    return lambda: default


def _making_lines(
    cls: type, fields: Sequence[attrs.Attribute[Any]], twin: type | None
) -> list[str]:
    """Fill the slots; through `__init__` where the class has something to say there."""
    if twin is None:
        given = "".join(f"{a.alias}=v{number}, " for number, a in enumerate(fields) if a.init)
        alias = next(a.alias for a in attrs.fields(cls) if a.name == "extra")
        return [f" return cls({given}{alias}=extra)"]
    filling = [f" made.{a.name} = v{number}" for number, a in enumerate(fields)]
    return [
        " made = Open()",
        *filling,
        " made.extra = extra",
        " made.__class__ = cls",
        " return made",
    ]


def _open_twin(cls: type) -> type | None:
    """A class of the same layout whose instances can be written to, until they become `cls`'s.

    Writing to a frozen instance goes through its slots' descriptors, each of them a call. None for
    a class that does more than to hold its fields, which models of the library's users may do.
    """
    if not _only_holds_fields(cls):
        return None
    # All of object's own: only then does Python make and fill one without looking for methods.
    plain = ("__init__", "__setattr__", "__delattr__")
    members: dict[str, Any] = {name: getattr(object, name) for name in plain}
    if "__slots__" in vars(cls):
        members["__slots__"] = vars(cls)["__slots__"]
    twin = type(cls.__name__, cls.__bases__, members)
    try:
        twin().__class__ = cls
    except TypeError:
        return None
    return twin


def _only_holds_fields(cls: type) -> bool:
    fields = attrs.fields(cls)
    hooks = ("__attrs_pre_init__", "__attrs_post_init__", "__attrs_init__", "_attrs_cached_hash")
    return (
        type(cls) is type
        and not any("__init_subclass__" in vars(base) for base in cls.__mro__[:-1])
        and not any(hasattr(cls, hook) for hook in hooks)
        and not any(a.validator or a.converter or not a.init for a in fields)
    )


def _split(found: dict[str, Any], known: int) -> dict[str, Any]:
    """Take what follows the known keys out of an object."""
    extra = dict(islice(found.items(), known, None))
    for key in extra:
        del found[key]
    return extra


def _as_dict(data: Any) -> dict[str, Any]:
    if isinstance(data, Mapping):
        return dict(data)
    raise Mismatch("an object", data)

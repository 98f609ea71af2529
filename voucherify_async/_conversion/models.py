"""A JSON object to a model, by code that is written for the model's class."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, cast

import attrs
from cattrs import Converter

from .._unset import UNSET
from .annotations import (
    EXACT,
    Mismatch,
    admits_none,
    attributes,
    is_lenient,
    is_open_enum,
    json_name,
    tells_null,
)
from .structuring import LEAVES, StructureHook, parse_instant

_log: Final = logging.getLogger("voucherify_async")


def model_structurer(cls: type, converter: Converter) -> StructureHook:
    """The hook of a model, written for its class; cattrs asks for it at its first use.

    It is straight-line code: a loop over the fields would take three times as long.

    Laid over the defaults, an object has its known keys in the order of the fields and its unknown
    ones behind them, so that all values are taken out at once. A value of just the field's own
    type passes without a call.
    """
    fields = attributes(cls)
    defaults = {
        json_name(attribute): UNSET if tells_null(attribute) else None for attribute, _ in fields
    }
    names: dict[str, Any] = {"cls": cls, "UNSET": UNSET, "Mismatch": Mismatch, "as_dict": _as_dict}
    twin = _open_twin(cls)
    names.update(defaults=defaults, split=_split, Open=twin, keep=_keep, parse=parse_instant)
    names.update(UTC=UTC)
    stock = converter.get_structure_hook(datetime) is LEAVES[datetime]
    body: list[str] = []
    for number, (attribute, core) in enumerate(fields):
        names[f"hook{number}"] = _deferred_hook(core, converter, names, f"hook{number}")
        names[f"type{number}"], names[f"default{number}"] = core, _default_maker(attribute.default)
        if not is_lenient(attribute, core):
            body += _field_lines(attribute, core, number)
        elif core is datetime and stock:
            body += _instant_lines(json_name(attribute), number)
        else:
            body += _lenient_lines(json_name(attribute), number)
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
        # None comes first: most fields are, and it is the cheapest to tell.
        conditions.append(f"{value}.__class__ is not {exact.__name__}")
    lines.append(f"if {' and '.join(conditions)}:")
    lines.append(f" at = {key!r}; {value} = hook{number}({value}, type{number}); at = None")
    if attribute.default not in (None, UNSET, attrs.NOTHING) and not admits_none(attribute.type):
        # A null in the place of a constant, such as the tag of a discount.
        lines.append(f"if {value} is None: {value} = default{number}()")
    return lines


def _lenient_lines(key: str, number: int) -> list[str]:
    value = f"v{number}"
    return [
        f"if {value} is not None:",
        f" try: {value} = hook{number}({value}, type{number})",
        f" except Mismatch: {value} = keep(cls, {key!r}, {value}, extra)",
    ]


def _instant_lines(key: str, number: int) -> list[str]:
    """The same for an instant, whose usual form is read without a call of our own."""
    value = f"v{number}"
    return [
        f"if {value} is not None:",
        " try:",
        f"  {value} = parse({value})",
        f"  if {value}.tzinfo is None: {value} = {value}.replace(tzinfo=UTC)",
        " except (TypeError, ValueError):",
        *(f"  {line}" for line in _lenient_lines(key, number)),
    ]


def _keep(cls: type, key: str, value: Any, extra: dict[str, Any]) -> None:
    """Keep a value that its field cannot hold; the field is None then."""
    extra[key] = value
    _tell(cls, key)


@functools.cache
def _tell(cls: type, key: str) -> None:
    # Once a process for each field, as a new format comes with every object of a listing.
    _log.warning("%s.%s: an answer's value cannot be read; it is in `extra`", cls.__name__, key)


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

"""The hooks of what is marked: tagged unions, and an item without the array around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from cattrs import Converter

from .annotations import Mismatch
from .marks import Lone, Tagged, mark_of
from .structuring import StructureHook, sequence_structurer


def tagged_structurer(annotation: Any, converter: Converter) -> StructureHook:
    """The hook of a tagged union."""
    mark = mark_of(annotation, Tagged)
    members = get_args(get_args(annotation)[0])
    hooks: dict[type[Any], StructureHook] = {}
    assert mark is not None  # noqa: S101 - what the predicate says

    def structure(value: Any, _: Any) -> Any:
        if value.__class__ is dict or isinstance(value, Mapping):
            kind = mark.kind_of(value)
            hook = hooks.get(kind) or hooks.setdefault(kind, converter.get_structure_hook(kind))
            return hook(value, kind)
        if isinstance(value, members):
            return value
        raise Mismatch("an object", value)

    return structure


def one_or_many_structurer(annotation: Any, converter: Converter) -> StructureHook:
    """The hook of an array that comes as its only item, too."""
    array = get_args(annotation)[0]
    many, item = sequence_structurer(array, converter), get_args(array)[0]
    one = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> Any:
        if isinstance(value, Mapping):
            return Lone((one(value, item),))
        return many(value, array)

    return structure

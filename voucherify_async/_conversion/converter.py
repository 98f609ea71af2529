"""The cattrs converter: JSON types to models and back, strict on values and tolerant of shapes.

Strict: a value whose JSON type contradicts its field raises, with the JSON path. Tolerant: a null,
a missing key, an unknown key (kept in `extra`) and an unknown enum value never do. Nor does a date
that cannot be read, for which no answer is given up: it is kept in `extra` under its own key, its
field is None, and a warning is logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

from cattrs import Converter

from ..errors import InvalidArgumentError, ResponseValidationError, short_repr
from .annotations import (
    Mismatch,
    is_instant_or_text,
    is_mapping,
    is_model,
    is_open_enum,
    is_sequence,
    is_value,
)
from .marks import is_one_or_many, is_tagged
from .models import model_structurer
from .shapes import one_or_many_structurer, tagged_structurer
from .structuring import (
    LEAVES,
    mapping_structurer,
    sequence_structurer,
    structure_any,
    structure_instant_or_text,
    structure_str,
    structure_value,
)
from .unstructuring import Unstructuring, refuse_nan

T = TypeVar("T")


def _build() -> Converter:
    built = Converter(detailed_validation=False)
    for leaf, hook in LEAVES.items():
        built.register_structure_hook(leaf, hook)
    built.register_structure_hook_func(lambda t: t is Any, structure_any)
    built.register_structure_hook_func(is_value, structure_value)
    built.register_structure_hook_func(is_open_enum, structure_str)
    built.register_structure_hook_func(is_instant_or_text, structure_instant_or_text)
    built.register_structure_hook_factory(is_sequence, sequence_structurer)
    built.register_structure_hook_factory(is_mapping, mapping_structurer)
    built.register_structure_hook_factory(is_tagged, tagged_structurer)
    built.register_structure_hook_factory(is_one_or_many, one_or_many_structurer)
    built.register_structure_hook_factory(is_model, model_structurer)
    built.register_unstructure_hook_factory(is_model, Unstructuring(built).model)
    return built


converter: Final = _build()
"""The converter in use. Register your own hooks on it to add types or to change how one is read."""


to_plain: Final = Unstructuring(converter).plain
"""JSON types of a value of any kind; raises `Mismatch`."""


def from_dict(model: type[T], data: Mapping[str, Any]) -> T:
    """Make a model from JSON types, as the API or `to_dict` wrote them.

    Args:
        model: The model's class, such as `Voucher`.
        data: The decoded JSON object.

    Returns:
        The model; keys that it does not know are in its `extra`.

    Raises:
        ResponseValidationError: A value's type contradicts its field; `path` says which.
    """
    return structure_at(model, data)


def structure_at(model: type[T], data: Any, root: str = "$") -> T:
    """Make a model of a part of an answer, whose JSON path errors begin with.

    Raises:
        ResponseValidationError: A value's type contradicts its field.
    """
    name = getattr(model, "__name__", str(model))
    try:
        return converter.get_structure_hook(model)(data, model)  # type: ignore[no-any-return]
    except Mismatch as error:
        raise ResponseValidationError(
            json_path=error.json_path(root),
            expected=error.expected,
            value=error.value,
            model=name,
        ) from None
    except RecursionError:
        raise ResponseValidationError(
            json_path=root, expected="fewer levels", value=data, model=name
        ) from None


def to_dict(model: Any) -> dict[str, Any]:
    """Turn a model into JSON types; the inverse of `from_dict`.

    Args:
        model: Any model of this library.

    Returns:
        A new mapping of strings, numbers, booleans, None, lists and mappings.

    Raises:
        InvalidArgumentError: A value cannot be written: a float where an integer belongs, a naive
            datetime; the message says where.
    """
    with _located(type(model).__name__):
        return cast("dict[str, Any]", converter.unstructure(model))


@contextmanager
def _located(root: str) -> Iterator[None]:
    """Tell callers where in what they handed in the mistake is."""
    try:
        yield
    except Mismatch as error:
        got = f"{short_repr(error.value)} ({type(error.value).__name__})"
        raise InvalidArgumentError(
            f"{error.json_path(root)}: expected {error.expected}, got {got}"
        ) from None
    except RecursionError:
        raise InvalidArgumentError(f"{root}: is nested too deeply, or contains itself") from None


def check_finite(value: Any, root: str) -> None:
    """Refuse NaN and infinity anywhere in a body.

    Raises:
        InvalidArgumentError: There is one; the message says where.
    """
    plain = to_json_types(value, root)
    with _located(root):
        refuse_nan(plain)


def to_json_types(value: Any, root: str) -> Any:
    """What a request body or query is made of: a model, or a mapping with anything inside.

    Raises:
        InvalidArgumentError: JSON cannot express a part of it; the message says which.
    """
    with _located(root):
        return to_plain(value)

"""What every model shares: room for the keys that the library does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Attribute, field, fields, frozen, has

from ..errors import InvalidArgumentError


@frozen(kw_only=True)
class Model:
    """The base of the models: frozen, slotted, keyword-only."""

    extra: Mapping[str, Any] = field(factory=dict)
    """Keys that this version of the library does not know, as they came; they are sent back too."""


def json_key(name: str, *, default: Any = None) -> Any:
    """A field whose JSON key is no Python name, such as ``$in``."""
    return field(default=default, metadata={"json": name})


def needed(default: Any = None) -> Any:
    """A field that an answer may lack but a request must have; see `complete`."""
    return field(default=default, metadata={"needed": True})


def complete(_: object, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a nested model that is to be sent has all that the API asks of it.

    Raises:
        InvalidArgumentError: A field of the nested model is missing; the message names it.
    """
    if not has(type(value)):
        return
    for nested in fields(type(value)):
        if nested.metadata.get("needed") and getattr(value, nested.name) is None:
            name = type(value).__name__
            raise InvalidArgumentError(f"{attribute.name}: {name} needs {nested.name}, got None")


__all__ = ["Model", "complete", "json_key", "needed"]

"""Values as plain JSON types and back, for what travels through a queue that knows only those."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any, Final

from attrs import fields, has

# The key that marks what JSON has no type for, and names it.
_TYPE: Final = "$type"
_VALUE: Final = "value"
_PACKAGE: Final = f"{__package__}."
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "bytes": base64.b64decode,
    "datetime": datetime.fromisoformat,
    "dict": dict,
    "range": lambda bounds: range(*bounds),
    "tuple": tuple,
}


def to_plain(value: Any) -> Any:
    """The value as JSON types; what cannot be told so becomes its repr."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        if _TYPE in value or not all(isinstance(key, str) for key in value):
            return _marked("dict", [[to_plain(k), to_plain(v)] for k, v in value.items()])
        return {key: to_plain(item) for key, item in value.items()}
    return _object_to_plain(value)


def _object_to_plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return _marked("bytes", base64.b64encode(value).decode())
    if isinstance(value, datetime):
        return _marked("datetime", value.isoformat())
    if isinstance(value, range):
        return _marked("range", [value.start, value.stop, value.step])
    cls = type(value)
    name = "tuple" if cls is tuple else f"{cls.__module__}:{cls.__qualname__}"
    if isinstance(value, tuple) and name.startswith(("tuple", _PACKAGE)):
        return _marked(name, [to_plain(item) for item in value])
    return _marked(name, _fields(value)) if has(cls) and name.startswith(_PACKAGE) else repr(value)


def _marked(name: str, content: Any) -> dict[str, Any]:
    return {_TYPE: name, _VALUE: content}


def _fields(value: Any) -> dict[str, Any]:
    held = ((attribute, getattr(value, attribute.name)) for attribute in fields(type(value)))
    return {a.alias: to_plain(content) for a, content in held if content is not a.default}


def from_plain(value: Any) -> Any:
    """The value that `to_plain` was given.

    Raises:
        ValueError: It names something else than a data class of this library.
    """
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _TYPE not in value:
        return {key: from_plain(item) for key, item in value.items()}
    name, content = value[_TYPE], from_plain(value[_VALUE])
    return _READERS[name](content) if name in _READERS else _remake(name, content)


def _remake(name: str, content: Any) -> Any:
    # What travelled is data: it may name the library's data classes, and nothing else to be called.
    module, _, path = name.partition(":")
    cls = getattr(import_module(module), path, None) if module.startswith(_PACKAGE) else None
    if isinstance(cls, type) and has(cls):
        known = {attribute.alias for attribute in fields(cls)}
        return cls(**{key: item for key, item in content.items() if key in known})
    if isinstance(cls, type) and issubclass(cls, tuple):
        return cls(content)
    raise ValueError(f"{name} is not a data class of this library")

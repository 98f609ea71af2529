"""What every model shares: room for the keys that the library does not know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from attrs import Attribute, field, fields, frozen, has

from ..errors import InvalidArgumentError


@frozen(kw_only=True, repr=False)
class Model:
    """The base of the models: frozen, slotted, keyword-only; the repr shows what is set."""

    extra: Mapping[str, Any] = field(factory=dict)
    """What has no field, as it came: keys that this version of the library does not know, and dates
    that cannot be read, whose fields are None then. It is sent back too."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        # pydantic's own protocol: a model is a field, a body and a response of FastAPI as it is.
        from .._conversion.pydantic_schema import model_schema

        return model_schema(cls, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        from .._conversion.pydantic_schema import json_schema

        return json_schema(cls, schema, handler)

    def __repr__(self) -> str:
        # Of a voucher's 30 fields most are None: what is there is what matters.
        shown = []
        for attribute in sorted(fields(type(self)), key=lambda a: a.name == "extra"):
            value = getattr(self, attribute.name)
            # Where nothing is UNSET, a None is a null that the caller meant.
            empty = value is attribute.default or (attribute.name == "extra" and not value)
            if attribute.repr and not empty:
                shown.append(f"{attribute.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


@frozen(kw_only=True, repr=False)
class Record(Model):
    """What nearly every object of the API says about itself."""

    id: str | None = None
    """Id of the object, given by Voucherify."""
    object: str | None = None
    """Kind of the object, such as ``voucher``."""
    created_at: datetime | None = None
    """Instant at which it was created."""
    updated_at: datetime | None = None
    """Instant of its last change."""


Number: TypeAlias = int | float
"""What the API calls a number: mostly an integer, sometimes a fraction."""


def json_key(name: str, *, default: Any = None) -> Any:
    """A field whose JSON key is no Python name, such as ``$in``."""
    return field(default=default, metadata={"json": name})


def present() -> Any:
    """A text that every documented answer has: empty where one lacks it, and not written then."""
    return field(default="")


def incidental() -> Any:
    """A field that no answer is given up for: what does not fit is kept in `extra`, like a date."""
    return field(default=None, metadata={"lenient": True})


def needed(default: Any = None) -> Any:
    """A field that an answer may lack but a request must have; see `complete`."""
    return field(default=default, metadata={"needed": True})


def complete(_: object, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a nested model that is to be sent has all that the API asks of it.

    Raises:
        InvalidArgumentError: A field of the nested model is missing; the message names it.
    """
    _check_complete(attribute.name, value)


def _check_complete(path: str, value: Any) -> None:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check_complete(f"{path}[{index}]", item)
    elif has(type(value)):
        for nested in fields(type(value)):
            content = getattr(value, nested.name)
            if content is None and nested.metadata.get("needed"):
                name = type(value).__name__
                raise InvalidArgumentError(f"{path}: {name} needs {nested.name}, got None")
            _check_complete(f"{path}.{nested.name}", content)

"""How models take part in pydantic. Loaded when pydantic asks a model for its schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, get_args, get_origin

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from ..errors import InvalidArgumentError
from .annotations import Mismatch, attributes, json_name
from .converter import converter, to_json_types

# The classes whose schemas are made already, or are being made: a model may hold itself.
_defined: ContextVar[set[type] | None] = ContextVar("_defined", default=None)
_ROOT: Final = "value"


def model_schema(cls: type, handler: Any) -> Any:
    """The core schema of a model: our converter reads and writes, the fields tell the shape."""
    ref = f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"
    with _definitions() as defined:
        if cls in defined:
            return core_schema.definition_reference_schema(ref)
        defined.add(cls)
        fields = {
            json_name(attribute): core_schema.typed_dict_field(
                core_schema.nullable_schema(handler.generate_schema(core)), required=False
            )
            for attribute, core in attributes(cls)
        }
    shape = core_schema.typed_dict_schema(fields, extra_behavior="allow")
    return _converted(cls, shape, ref=ref)


def union_schema(annotation: Any, members: Any) -> Any:
    """The core schema of a tagged union, whose members' own schemas are in `members`."""
    return _converted(annotation, members)


def outgoing_schema(
    source: Any, shape: Mapping[str, Any], handler: Any, write: Callable[[Any], dict[str, Any]]
) -> Any:
    """The core schema of what the library makes, such as a page: it goes out, and never comes in.

    Args:
        source: The class, with its parameters if it has any.
        shape: The keys that go out, and their annotations.
        handler: What pydantic handed in.
        write: What goes out of an instance; of a union's member it is asked for any of them.
    """
    cls = get_origin(source) or source
    parameters = ", ".join([f"{a.__module__}.{a.__qualname__}" for a in get_args(source)])
    name = f"{cls.__module__}.{cls.__qualname__}" + (f"[{parameters}]" if parameters else "")
    fields = {
        key: core_schema.typed_dict_field(handler.generate_schema(annotation), required=True)
        for key, annotation in shape.items()
    }
    return core_schema.no_info_wrap_validator_function(
        lambda value, _: _of_class(cls, value),
        core_schema.typed_dict_schema(fields),
        ref=f"{name}:{id(cls)}",
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda value: to_json_types(write(value), type(value).__name__)
        ),
    )


def _of_class(cls: type, value: Any) -> Any:
    if not isinstance(value, cls):
        raise PydanticCustomError(
            "voucherify", "Expected a {name} that the client returned", {"name": cls.__name__}
        )
    return value


def json_schema(cls: type, schema: Any, handler: Any) -> Any:
    """The JSON schema of a model, with its name and docstring."""
    described = handler(schema)
    target = handler.resolve_ref_schema(described)
    target["title"] = cls.__name__
    if cls.__doc__:
        target["description"] = inspect.cleandoc(cls.__doc__)
    return described


def _converted(annotation: Any, shape: Any, **options: Any) -> Any:
    return core_schema.no_info_wrap_validator_function(
        lambda value, _: _read(annotation, value),
        shape,
        serialization=core_schema.plain_serializer_function_ser_schema(_write),
        **options,
    )


def _read(annotation: Any, value: Any) -> Any:
    try:
        return converter.get_structure_hook(annotation)(value, annotation)
    except Mismatch as error:
        path, expected, found = error.path[::-1], error.expected, error.value
    except InvalidArgumentError as error:
        path, expected, found = [], str(error), value
    except RecursionError:
        path, expected, found = [], "fewer levels", value
    problem = PydanticCustomError("voucherify", "Expected {expected}", {"expected": expected})
    details = InitErrorDetails(type=problem, loc=tuple(path), input=found)
    raise ValidationError.from_exception_data(_ROOT, [details])


def _write(value: Any) -> Any:
    return to_json_types(value, type(value).__name__)


@contextmanager
def _definitions() -> Iterator[set[type]]:
    defined = _defined.get()
    if defined is not None:
        yield defined
        return
    made: set[type] = set()
    token = _defined.set(made)
    try:
        yield made
    finally:
        _defined.reset(token)

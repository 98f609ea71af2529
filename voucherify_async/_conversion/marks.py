"""What an annotation says by a mark: tagged unions, and an item without the array around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin

from attrs import frozen

Kind = type[Any] | Callable[[Mapping[str, Any]], type[Any]]


@frozen(eq=False)
class Tagged:
    """Marks a union whose members an object's own tag tells apart.

    ```python
    Discount: TypeAlias = Annotated[
        AmountDiscount | PercentDiscount | UnknownDiscount,
        Tagged("type", {"AMOUNT": AmountDiscount, "PERCENT": PercentDiscount}, UnknownDiscount),
    ]
    ```
    """

    key: str
    """The key that holds the tag."""
    kinds: Mapping[str, Kind]
    """The class of each tag; a function of the object where the tag alone does not decide."""
    unknown: type[Any]
    """The class of every other tag, and of an object without one; it keeps all in `extra`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from .pydantic_schema import union_schema

        return union_schema(Annotated[source, self], handler(source))

    def kind_of(self, data: Mapping[str, Any]) -> type[Any]:
        """The class of an object."""
        tag = data.get(self.key)
        kind = self.kinds.get(tag, self.unknown) if isinstance(tag, str) else self.unknown
        return kind if isinstance(kind, type) else kind(data)


class _OneOrMany:
    """Marks an array that comes as its only item, too."""


T = TypeVar("T")
ONE_OR_MANY: Final = _OneOrMany()


class Lone(tuple[T, ...]):
    """The only item of an array that came without the array, and is written without it."""

    __slots__ = ()


def mark_of(annotation: Any, kind: type[T]) -> T | None:
    """The mark of this kind that an annotation carries."""
    if get_origin(annotation) is not Annotated:
        return None
    return next((m for m in get_args(annotation)[1:] if isinstance(m, kind)), None)


def is_tagged(annotation: Any) -> bool:
    return mark_of(annotation, Tagged) is not None


def is_one_or_many(annotation: Any) -> bool:
    return mark_of(annotation, _OneOrMany) is not None

"""Pages and windows of time, as listings share them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from .._messages import Query
from .._refusals import invalid_query
from .._state.server_time import micros, parse_instant

LAST_PAGE = 99
_T = TypeVar("_T")


def page_of(query: Query, found: Sequence[_T], size: int, last: int | None = LAST_PAGE) -> list[_T]:
    """Return the page of a list that ``page`` and ``limit`` of a query name."""
    limit = query.integer("limit", size, 1, 100)
    start = (query.integer("page", 1, 1, last) - 1) * limit
    return list(found[start : start + limit])


def instant_bounds(
    query: Query, name: str, *, inclusive: bool = False
) -> tuple[int | None, int | None]:
    """Return the exclusive bounds ``[after]`` and ``[before]`` of a query, in microseconds.

    ``inclusive``: let the instants themselves count as within.
    """
    given = query.deep(name)
    bounds: list[int | None] = []
    for side, slack in (("after", -1), ("before", 1)):
        value = given.get(side)
        try:
            bound = None if value is None else micros(parse_instant(value))
        except (TypeError, ValueError):
            raise invalid_query(f".{name}.{side}: an ISO 8601 date is expected") from None
        bounds.append(bound if bound is None or not inclusive else bound + slack)
    return bounds[0], bounds[1]

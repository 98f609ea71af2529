"""Advanced filters: ``{field: {"conditions": {"$is": [...]}}, "junction": "and"}``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from .._messages import JsonObject
from .._refusals import ApiFailure
from .._state.server_time import parse_instant

Reader: TypeAlias = Callable[[str], Any]
Test: TypeAlias = Callable[[Reader], bool]
Refusal: TypeAlias = Callable[[str], ApiFailure]

# Names of the filter language that differ from the names of the served object.
_ALIASES = {
    "voucher_type": "type",
    "campaign_name": "campaign",
    "categories": "category",
    "category_ids": "category_id",
    "customer_id": "holder_id",
}


def compile_filters(filters: JsonObject, refusal: Refusal) -> Test | None:
    """Return one test for all filters, None if there are none, or raise the API's 400."""
    junction = str(filters.get("junction", "and")).lower()
    if junction not in ("and", "or"):
        raise refusal(".filters.junction: and, or is expected")
    tests: list[Test] = []
    for name, spec in filters.items():
        if name == "junction":
            continue
        conditions = spec.get("conditions") if isinstance(spec, dict) else None
        if not isinstance(conditions, dict) or not conditions:
            raise refusal(f".filters.{name}.conditions: at least one condition is expected")
        for condition, given in conditions.items():
            tests.append(_compile(name, condition, _values(given), refusal))
    if not tests:
        return None
    combine = all if junction == "and" else any
    return lambda read: combine(test(read) for test in tests)


def read_object(served: JsonObject, name: str) -> Any:
    """Return the value of a field, ``metadata.key`` included, of an object as served."""
    if name in served:
        return served[name]
    value: Any = served
    for part in _ALIASES.get(name, name).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _compile(name: str, condition: str, wanted: list[str], refusal: Refusal) -> Test:
    holds = _CONDITIONS.get(condition)
    if holds is None:
        raise refusal(f".filters.{name}: the condition {condition} is not supported")
    if condition in _ORDERED and any(_ordered(value) is None for value in wanted):
        raise refusal(f".filters.{name}: {condition} takes a number or an ISO 8601 date")
    return partial(_check, name, holds, wanted)


def _check(
    name: str, holds: Callable[[Any, list[str]], bool], wanted: list[str], read: Reader
) -> bool:
    return holds(read(name), wanted)


def _values(given: Any) -> list[str]:
    if isinstance(given, dict):
        given = list(given.values())
    elif not isinstance(given, list):
        given = [given]
    return [_plain(value) for value in given]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _ordered(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        pass
    try:
        return parse_instant(value).timestamp()
    except (TypeError, ValueError):
        return None


def _compare(compare: Callable[[float, float], bool], value: Any, wanted: list[str]) -> bool:
    number = _ordered(value)
    bounds = [bound for bound in map(_ordered, wanted) if bound is not None]
    return number is not None and all(compare(number, bound) for bound in bounds)


def _has(value: Any, _: list[str]) -> bool:
    return value is not None


def _matches(match: Callable[[str, str], bool], value: Any, wanted: list[str]) -> bool:
    return value is not None and any(match(_plain(value), text) for text in wanted)


def _is(value: Any, wanted: list[str]) -> bool:
    return _plain(value) in wanted


def _not(holds: Callable[[Any, list[str]], bool], value: Any, wanted: list[str]) -> bool:
    return not holds(value, wanted)


_contains = partial(_matches, lambda value, text: text in value)
_more = partial(_compare, lambda value, bound: value > bound)
_less = partial(_compare, lambda value, bound: value < bound)
_CONDITIONS: dict[str, Callable[[Any, list[str]], bool]] = {
    "$is": _is,
    "$in": _is,
    "$is_not": partial(_not, _is),
    "$not_in": partial(_not, _is),
    "$has_value": _has,
    "$is_unknown": partial(_not, _has),
    "$contains": _contains,
    "$not_contain": partial(_not, _contains),
    "$starts_with": partial(_matches, str.startswith),
    "$ends_with": partial(_matches, str.endswith),
    "$more_than": _more,
    "$less_than": _less,
    "$more_than_equal": partial(_compare, lambda value, bound: value >= bound),
    "$less_than_equal": partial(_compare, lambda value, bound: value <= bound),
    "$after": _more,
    "$before": _less,
}
_ORDERED = frozenset(
    ("$more_than", "$less_than", "$more_than_equal", "$less_than_equal", "$after", "$before")
)

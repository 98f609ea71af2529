"""Small changes of a JSON example, and what counts as the same JSON."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

JsonPath = tuple[str | int, ...]

_EXAMPLES = Path(__file__).parent / "examples"
_ENUM = re.compile(r"^(?:[A-Z]+(?:[._][A-Z]+)*|[a-z]+(?:_[a-z]+)*|customer\.order\.paid)$")
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\d(?:T.*)?$")
# Keys that the models do not know, and operators, which compare with anything.
_NUMBERS_BY_ID = {"applicable_redeemables_category_limits"}
_UNTYPED = re.compile(r"^(?:\$|metadata\.|odds$|prizes$|attributes$|price_formula$)")

# What the schemas call a text and the answers a number: either is read.
_NUMBER_OR_TEXT = ("referee_reward", "amount")


def examples(model: str) -> dict[str, Any]:
    """The example answers of a model, by name."""
    loaded: dict[str, Any] = json.loads((_EXAMPLES / f"{model}.json").read_text())
    return loaded


def paths(value: Any, path: JsonPath = ()) -> Iterator[JsonPath]:
    """The path of every value inside a JSON value."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*path, index))


def at(value: Any, path: JsonPath) -> Any:
    """The value at a path."""
    for step in path:
        value = value[step]
    return value


def put(value: Any, path: JsonPath, new: Any) -> Any:
    """A copy with another value at a path."""
    changed = copy.copy(value)
    step, *rest = path
    changed[step] = put(value[step], tuple(rest), new) if rest else new
    return changed


def drop(value: Any, path: JsonPath) -> Any:
    """A copy without the value at a path."""
    changed = copy.copy(value)
    step, *rest = path
    if rest:
        changed[step] = drop(value[step], tuple(rest))
    else:
        del changed[step]
    return changed


def tolerated(example: Any) -> Iterator[Any]:
    """Every change of an example that an answer may bring."""
    yield put(example, ("unknown_key",), {"deep": [1, None, "x"]})
    for path in paths(example):
        value = at(example, path)
        yield put(example, path, None)
        yield drop(example, path)
        if _is_lenient(path, value):
            for unreadable in ("soon", "9" * 9999, 1.5, [1]):
                yield put(example, path, unreadable)
        if isinstance(value, str) and _ENUM.match(value):
            yield put(example, path, "UNKNOWN_VALUE")
        if isinstance(value, dict) and path[-1] not in _NUMBERS_BY_ID:
            yield put(example, (*path, "unknown_key"), {"deep": [1, None, "x"]})


def contradictions(example: Any) -> Iterator[tuple[JsonPath, Any]]:
    """Every change of an example that contradicts a type, and where it is."""
    for path in paths(example):
        if "metadata" in path[:-1] or any(_UNTYPED.match(str(step)) for step in path):
            continue
        if _is_lenient(path, at(example, path)) or path[-2:] == _NUMBER_OR_TEXT:
            continue
        for wrong in _WRONG[type(at(example, path))]:
            yield path, put(example, path, wrong)


def _is_lenient(path: JsonPath, value: Any) -> bool:
    """Whether no answer is given up for a value: dates, and how long and far a job is."""
    if "metadata" in path or any(_UNTYPED.match(str(step)) for step in path):
        return False
    is_instant = isinstance(value, str) and _INSTANT.match(value) is not None
    return is_instant or path[-1] in {"progress", "processing_time"}


_WRONG: dict[type, tuple[Any, ...]] = {
    bool: ("false", 1, 0.0, [True]),
    int: ("5", True, [5], {}),
    float: ("5.5", True, [5.5]),
    str: (5, True, ["text"], {"text": "text"}),
    list: ("text", 5, True),
    dict: ("text", 5, True, [[]]),
    type(None): (),
}


def json_path(path: JsonPath) -> str:
    """The text of a path, as errors show it."""
    return "$" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path)


def lost(before: Any, after: Any, path: JsonPath = ()) -> list[str]:
    """The paths at which something is missing or different; null and absent are the same."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for key, value in before.items()
            if value is not None
            for line in lost(value, after.get(key), (*path, key))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for index, (b, a) in pairs for line in lost(b, a, (*path, index))]
    same = _instant(before) == _instant(after) and type(before) is type(after)
    return [] if same else [f"{json_path(path)}: {before!r} became {after!r}"]


def _instant(value: Any) -> Any:
    if not isinstance(value, str) or not _INSTANT.match(value):
        return value
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

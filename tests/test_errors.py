"""Errors: one tree, and all of them survive pickle and copy."""

from __future__ import annotations

import builtins
import copy
import inspect
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

import voucherify_async as v
from voucherify_async import errors

ACTION = v.AsyncAction(
    id="aa_1",
    status="DONE",
    created_at=datetime(2025, 1, 1, tzinfo=UTC),
    result=v.AsyncActionResult(failed=[v.AsyncActionFailure(code="A")], extra={"new": [1]}),
)
SPECIAL: dict[str, dict[str, Any]] = {
    "ResponseValidationError": {"json_path": "$.a", "expected": "an integer", "value": 1.5},
    "UnreadableAnswerError": {
        "json_path": "$",
        "expected": "JSON",
        "value": "<html>",
        "model": "M",
    },
    "PaginationLimitError": {"page": 99, "total": 10_000},
    "AsyncActionFailedError": {"action": ACTION},
    "ExportFailedError": {"export": v.Export(id="exp_1", status="ERROR")},
    "WaitTimeoutError": {"id": "aa_1", "last": ACTION},
    "BulkInterruptedError": {"job_ids": ["aa_1"], "accepted": 5, "unknown": 2},
}
API_FIELDS: dict[str, Any] = {
    "status_code": 503,
    "key": "k",
    "details": "d",
    "request_id": "r",
    "resource_id": "A",
    "resource_type": "voucher",
    "headers": {"retry-after": "5"},
    "body": {"message": "m", "nested": [1, {"a": None}]},
    "retry_after": 5.0,
}
CLASSES = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, v.VoucherifyError) and cls.__module__ == errors.__name__
]


def made(cls: type[v.VoucherifyError]) -> v.VoucherifyError:
    """An error of a class, with everything that it can carry."""
    if issubclass(cls, v.ResponseValidationError):
        error: Any = cls(**SPECIAL[cls.__name__])
    elif issubclass(cls, v.APIError):
        error = cls("the message", **API_FIELDS)
    elif issubclass(cls, v.TransportError):
        error = cls("the message", method="GET", path="/v1/vouchers/{code}")
    elif issubclass(cls, v.AmbiguousOutcomeError):
        error = cls("the message")
    else:
        error = cls("the message", **SPECIAL.get(cls.__name__, {}))
    if isinstance(error, v.AmbiguousOutcomeError):
        error.method, error.path, error.sent = "POST", "/v1/x", b"{}"
        error.source_id, error.how_to_check = "s_1", "Look."
    return error  # type: ignore[no-any-return]


def pickled(protocol: int, error: Any) -> Any:
    """An error there and back."""
    return pickle.loads(pickle.dumps(error, protocol))


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "oldest pickle": partial(pickled, 0),
    "newest pickle": partial(pickled, pickle.HIGHEST_PROTOCOL),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize(
    "cls", [cls for cls in CLASSES if cls is not errors.ImportInterruptedError]
)
def test_errors_survive(cls: type[v.VoucherifyError], way: Callable[[Any], Any]) -> None:
    """Every error comes back from pickle and copy as what it was, notes included."""
    error = made(cls)
    error.add_note("a note")
    back = way(error)
    assert type(back) is cls
    assert back is not error
    assert str(back) == str(error)
    assert back.args == error.args
    assert vars(back) == vars(error)
    assert back.__notes__ == ["a note"]


def test_all_are_of_one_tree() -> None:
    """Every error is a VoucherifyError, is public, and says in its docstring what it means."""
    for cls in CLASSES:
        assert issubclass(cls, v.VoucherifyError)
        assert cls.__name__ in errors.__all__
        assert getattr(v, cls.__name__) is cls
        assert cls.__doc__
    assert errors.__all__ == sorted(errors.__all__)
    assert {cls.__name__ for cls in CLASSES} == set(errors.__all__) - {"RefusalReason"}


@pytest.mark.parametrize(
    ("cls", "base"),
    [
        (v.ConfigurationError, ValueError),
        (v.InvalidArgumentError, ValueError),
        (v.ClientClosedError, RuntimeError),
        (v.ClientLoopError, RuntimeError),
        (v.TimeoutError, builtins.TimeoutError),
        (v.ReadTimeout, builtins.TimeoutError),
        (v.WaitTimeoutError, builtins.TimeoutError),
        (v.AmbiguousServerError, v.ServerError),
        (v.AmbiguousServerError, v.AmbiguousOutcomeError),
        (v.UnreadableAnswerError, v.ResponseValidationError),
        (v.UnreadableAnswerError, v.AmbiguousOutcomeError),
        (v.PaginationLimitError, v.PaginationError),
        (v.RateLimitError, v.APIError),
    ],
)
def test_errors_are_also(cls: type[Exception], base: type[Exception]) -> None:
    """Errors are caught under the built-in's name and under each of their two names."""
    assert issubclass(cls, base)


def test_what_was_surely_not_sent() -> None:
    """A transport error knows whether its request may have reached the server."""
    unsent = {cls.__name__ for cls in CLASSES if getattr(cls, "sent", None) is False}
    assert unsent == {"ConnectError", "ConnectTimeout", "PoolTimeout"}


def test_long_values_are_cut() -> None:
    """An answer's misfit is shown as far as it fits into a line."""
    error = v.ResponseValidationError(
        json_path="$.a", expected="a string", value=["x" * 500], model="M"
    )
    assert str(error).startswith("M at $.a: expected a string, got ['xxx")
    assert len(str(error)) < 150
    assert error.value == ["x" * 500]


def test_dual_error_tells_both() -> None:
    """An error of two kinds has the attributes of both."""
    error: Any = made(v.AmbiguousServerError)
    assert (error.status_code, error.retry_after, error.how_to_check) == (503, 5.0, "Look.")
    assert "503 (k): the message: d [request r]" in str(error)
    error = made(v.UnreadableAnswerError)
    assert (error.path, error.sent) == ("/v1/x", b"{}")

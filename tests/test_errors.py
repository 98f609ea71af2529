"""Errors: one tree, and all of them survive pickle, copy and the JSON of queues."""

from __future__ import annotations

import builtins
import copy
import inspect
import json
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

import voucherify_async as v
from voucherify_async import errors
from voucherify_async._conversion.marks import Lone

from .queues import through_celery, through_taskiq

ACTION = v.AsyncAction(
    id="aa_1",
    status="DONE",
    created_at=datetime(2025, 1, 1, tzinfo=UTC),
    result=v.AsyncActionResult(failed=[v.AsyncActionFailure(code="A")], extra={"new": [1]}),
)
REDEEMED = v.RedemptionResult(redemptions=[v.Redemption(id="r_1", amount=5)])
REFUSED = v.ImportFailure(index=3, code=None, reason="It has no code.")
POINT = v.ResumePoint(index=2, jobs=[v.OpenImport(id="aa_1", start=0, stop=2)])
REPORT = v.ImportReport(
    read=5,
    accepted=range(2),
    unknown=range(2, 4),
    not_accepted=range(4, 5),
    done_count=1,
    failures=[REFUSED],
    duplicates=(),
    job_ids=["aa_1"],
    open_jobs=POINT.jobs,
    resume_from=POINT,
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


def subclasses(cls: type[v.VoucherifyError]) -> Iterator[type[v.VoucherifyError]]:
    """A class and everything below it, of the library's own."""
    yield cls
    for below in cls.__subclasses__():
        if below.__module__.startswith("voucherify_async."):
            yield from subclasses(below)


# Not those that a private module keeps to itself.
CLASSES = sorted(
    {cls for cls in subclasses(v.VoucherifyError) if cls.__module__ == errors.__name__},
    key=lambda cls: cls.__name__,
)


def made(cls: type[v.VoucherifyError]) -> v.VoucherifyError:
    """An error of a class, with everything that it can carry."""
    if cls is v.ImportInterruptedError:
        error: Any = cls(REPORT, "No answer came.")
    elif issubclass(cls, v.ResponseValidationError):
        error = cls(**SPECIAL[cls.__name__])
    elif issubclass(cls, v.RefusedError):
        reason = v.RefusalReason("A", "quantity_exceeded", None, "Used up.")
        error = cls("the message", reasons=[reason], result=REDEEMED, **API_FIELDS)
    elif issubclass(cls, v.APIError):
        error = cls("the message", **API_FIELDS)
    elif issubclass(cls, v.TransportError):
        error = cls("the message", method="GET", path="/v1/vouchers/{code}")
    elif issubclass(cls, v.AmbiguousOutcomeError):
        error = cls("the message")
    else:
        error = cls("the message", **SPECIAL.get(cls.__name__, {}))
    if isinstance(error, v.AmbiguousOutcomeError):
        error.method, error.path, error.sent = "POST", "/v1/x", b"{}\xff"
        error.path_values = {"code": "Ä/1"}
        error.source_id, error.how_to_check = "s_1", "Look."
        error.sent_at = datetime(2025, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
    return error  # type: ignore[no-any-return]


def pickled(protocol: int, error: Any) -> Any:
    """An error there and back."""
    return pickle.loads(pickle.dumps(error, protocol))


def called_again(error: Any) -> Any:
    """An error made of its `args`, as they come out of JSON."""
    return type(error)(*json.loads(json.dumps(error.args)))


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "oldest pickle": partial(pickled, 0),
    "newest pickle": partial(pickled, pickle.HIGHEST_PROTOCOL),
    "JSON of args": called_again,
    "Celery with json": through_celery,
    "taskiq with JSON": through_taskiq,
    "Celery with pickle": partial(through_celery, serializer="pickle"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("cls", CLASSES)
def test_errors_survive(cls: type[v.VoucherifyError], way: Callable[[Any], Any]) -> None:
    """Every error comes back from pickle, copy and JSON as what it was, notes included."""
    error = made(cls)
    error.add_note("a note")
    back = way(error)
    assert type(back) is cls
    assert back is not error
    assert str(back) == str(error)
    assert back.args == error.args
    assert vars(back) == vars(error)
    assert back.__notes__ == ["a note"]


@pytest.mark.parametrize(
    "body",
    [
        {"$type": "os:system", "value": "echo"},
        {"$type": "bytes"},
        {"voucherify_error": {}},
        [1.5, None, True, (1, (2,)), {"a": {1: "b"}}],
        v.AsyncActionResult(failed=Lone([v.AsyncActionFailure(code="A")])),
        "\ud800 \0",
        10**400,
    ],
    ids=repr,
)
def test_any_body_survives_json(body: Any) -> None:
    """What an error holds comes back from JSON as it was, also what looks like a mark of ours."""
    error = v.APIError("m", status_code=400, body=body)
    assert called_again(error).body == body
    assert type(called_again(error).body) is type(body)


def test_what_json_cannot_hold_costs_no_error() -> None:
    """Values of no JSON type come back as text, ones nested without end not at all."""
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    error = v.APIError("m", status_code=400, key="k", body={1, 2}, headers={"a": deep})
    back = called_again(error)
    assert (back.key, back.body, back.headers) == ("k", "{1, 2}", None)


@pytest.mark.parametrize("name", ["os:system", "voucherify_async.client:AsyncVoucherify", "x"])
def test_stored_args_call_nothing_foreign(name: str) -> None:
    """Forged `args` make data classes of the library and nothing else."""
    forged = {"voucherify_error": {"body": {"$type": name, "value": ["echo"]}}}
    with pytest.raises(ValueError, match="is not a data class"):
        v.APIError("m", forged)  # type: ignore[call-arg,arg-type]


def test_args_still_begin_with_the_message() -> None:
    """`args`, text and repr are those of any exception; set, they change the message alone."""
    plain = v.ConfigurationError("the message")
    assert (plain.args, v.VoucherifyError().args) == (("the message",), ())
    error = v.NotFoundError("gone", status_code=404)
    assert error.args[0] == "gone"
    assert repr(error) == "NotFoundError('gone')"
    error.args = (f"{error.args[0]} for good", *error.args[1:])
    assert repr(error) == "NotFoundError('gone for good')"
    assert called_again(error).status_code == 404


def test_an_error_of_the_services_own_survives_json() -> None:
    """A subclass with its own `__init__` comes back whole, too."""
    error = ShopError("closed", shop="Leeds")
    back = called_again(error)
    assert (type(back), str(back), back.shop) == (ShopError, "404: closed", "Leeds")
    assert str(inspect.signature(ShopError)) == "(message: 'str', *, shop: 'str') -> 'None'"


class ShopError(v.NotFoundError):
    """A service's own error."""

    def __init__(self, message: str, *, shop: str) -> None:
        super().__init__(message, status_code=404)
        self.shop = shop


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
    assert (error.path, error.sent) == ("/v1/x", b"{}\xff")

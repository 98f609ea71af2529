"""Headers and bodies, as pure functions."""

from __future__ import annotations

import json
import pickle
import re
from datetime import UTC, date, datetime, timedelta, timezone
from operator import attrgetter
from typing import Any
from uuid import UUID

import pytest

from voucherify_async import (
    UNSET,
    AsyncVoucherify,
    InvalidArgumentError,
    ResponseValidationError,
    TimeRange,
    Voucher,
    VoucherUpdate,
)
from voucherify_async._conversion.converter import structure_at
from voucherify_async._protocol import answers, bodies, routes
from voucherify_async._protocol.answers import Answer
from voucherify_async._protocol.bodies import encode_json
from voucherify_async._protocol.queries import encode_query
from voucherify_async._protocol.rate_limits import rate_limit, retry_after
from voucherify_async._protocol.route import Route

NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "9" * 40}, None),
        ({"retry-after": "soon", "x-rate-limit-retry": "1700000009"}, 9.0),
        ({"retry-after": "3", "x-rate-limit-retry": "1700000009"}, 3.0),
        ({"x-rate-limit-retry": "1600000000"}, 0.0),
        ({"x-rate-limit-retry": "1700000100", "date": "Tue, 14 Nov 2023 22:14:20 GMT"}, 40.0),
        ({"x-rate-limit-retry": "1700000100", "date": "garbage"}, 100.0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """The wait is read from seconds, dates and epochs, by the server's clock; never below 0."""
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-rate-limit-retry": "1700000000"}, None),
        ({"x-rate-limit-remaining": "5"}, (None, 5, None)),
        ({"x-rate-limit-limit": "none", "x-rate-limit-remaining": "-1"}, (None, None, None)),
        (
            {"x-rate-limit-limit": "100", "x-rate-limit-retry": "1700000000"},
            (100, None, datetime.fromtimestamp(NOW, UTC)),
        ),
        ({"x-rate-limit-limit": "1", "x-rate-limit-retry": "9" * 19}, (1, None, None)),
        ({"x-rate-limit-limit": "1", "x-rate-limit-retry": "1700000000000"}, (1, None, None)),
    ],
)
def test_rate_limit(headers: dict[str, str], expected: Any) -> None:
    """The quota is read as far as it is stated, whatever else the headers hold."""
    limit = rate_limit(headers)
    shown = None if limit is None else (limit.limit, limit.remaining, limit.resets_at)
    assert shown == expected


@pytest.mark.parametrize(
    ("params", "query"),
    [
        (None, ""),
        ({}, ""),
        ({"a": None, "b": UNSET}, ""),
        ({"a": "x y&z=ü"}, "a=x+y%26z%3D%C3%BC"),
        ({"a": True, "b": False, "c": 0, "d": 1.5}, "a=true&b=false&c=0&d=1.5"),
        ({"ids": ["a", None, "b"]}, "ids=a&ids=b"),
        ({"ids": ()}, ""),
        (
            {"a": {"b": {"c": [1, 2]}, "d": None}},
            "a%5Bb%5D%5Bc%5D%5B0%5D=1&a%5Bb%5D%5Bc%5D%5B1%5D=2",
        ),
        ({"a": TimeRange(before="2024-01-01")}, "a%5Bbefore%5D=2024-01-01"),
        ({"a": date(2024, 1, 2)}, "a=2024-01-02"),
        (
            {"a": datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=2)))},
            "a=2024-01-01T22%3A00%3A00Z",
        ),
    ],
)
def test_query(params: dict[str, Any] | None, query: str) -> None:
    """None and UNSET are left out, lists repeat their key, mappings are deep objects."""
    assert encode_query(params) == query


def test_body_size_is_exact() -> None:
    """A body of exactly 10 MB goes, one byte more does not."""
    fits = "x" * (bodies.MAX_BODY_BYTES - 2)
    assert len(encode_json(fits)) == bodies.MAX_BODY_BYTES
    with pytest.raises(InvalidArgumentError, match="10,000,001 bytes are over the 10,000,000"):
        encode_json(fits + "x")


def test_size_counts_bytes() -> None:
    """The size of a body is that of its bytes, not of its characters."""
    with pytest.raises(InvalidArgumentError, match="split it"):
        encode_json("ü" * (bodies.MAX_BODY_BYTES // 2))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"18446744073709551615", 2**64 - 1),
        (b'"\\ud800"', "\ud800"),
        (b"\xef\xbb\xbf[1]", [1]),
        (b" null ", None),
        (b"18446744073709551616", 2**64),
        (b'{"a":[1.5,-9223372036854775809]}', {"a": [1.5, -(2**63) - 1]}),
        (b'{"a": 1' + b"0" * 400 + b"}", {"a": 10**400}),
        (b'"1234567890123456789012"', "1234567890123456789012"),
        (b"-9999999999999999999", 1 - 10**19),
        (
            b'["v_1234567890123456789012",\n18446744073709551616]',
            ["v_1234567890123456789012", 2**64],
        ),
        (
            b'["-1234567890123456789012",-18446744073709551617]',
            ["-1234567890123456789012", -(2**64) - 1],
        ),
    ],
)
def test_lenient_json(content: bytes, value: Any) -> None:
    """JSON that only some decoders take is read too, and its integers are never rounded."""
    assert answers.decode_json(content) == value
    assert type(answers.decode_json(content)) is type(value)


@pytest.mark.parametrize("text", ["v_" + "1" * 30, "0" * 19, "-" + "9" * 40, "1.5e" + "1" * 20])
def test_strings_of_digits_do_not_slow_an_answer_down(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a number that orjson would round is left to the slower decoder."""
    monkeypatch.delattr(json, "loads")
    assert answers.decode_json(b'{"id":"%b"}' % text.encode()) == {"id": text}


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"metadata":{"a":NaN}}',
        b'{"metadata":{"a":1e999}}',
        b"\xff",
        b"1" * 5000,
        b"[" * 100_000,
        b"[" * 1000 + b"]" * 1000,
    ],
    ids=lambda content: f"{content[:5]!r} x {len(content)}",
)
def test_an_answer_that_is_not_a_voucher(content: bytes) -> None:
    """Whatever an answer holds in place of an object, the error is ours."""
    with pytest.raises(ResponseValidationError) as caught:
        structure_at(Voucher, answers.decode_answer(Answer(200, {}, content)))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_paths_are_quoted() -> None:
    """Every reserved character of a value is percent-quoted, and templates are filled once."""
    route = Route("name", "GET", "/v1/{a}/x/{b}")
    assert route(a="{b}/..", b="%2e ?#&").path == "/v1/%7Bb%7D%2F../x/%252e%20%3F%23%26"


def test_routes_are_distinct() -> None:
    """Each method of the API has one route, and every write says how its outcome is checked."""
    found = [value for value in vars(routes).values() if isinstance(value, Route)]
    assert len({(r.method, r.template, r.repeats_like) for r in found}) == len(found)
    assert all(route.template.startswith("/v") for route in found)
    assert all(route.check for route in found)
    methods = {route.name for route in found if not route.name.startswith("oauth.")}
    assert all(callable(attrgetter(name)(AsyncVoucherify("id", "token"))) for name in methods)
    assert sum(route.bulk for route in found) == 7


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("body", "where"),
    [
        (lambda n: {"metadata": {"a": [1, {"b": n}]}}, "body.metadata.a[1].b"),
        (lambda n: VoucherUpdate(metadata={"a": n}), "body.metadata.a"),
        (lambda n: [VoucherUpdate(metadata={"a": None}), {"x": (n,)}], "body[1].x[0]"),
    ],
)
def test_what_json_has_no_number_for(number: float, body: Any, where: str) -> None:
    """NaN and infinity are refused with their place: as null they would delete a value."""
    with pytest.raises(InvalidArgumentError, match=re.escape(f"{where}: expected a number")):
        encode_json(body(number))


def test_a_null_of_the_callers_own_is_sent() -> None:
    """A null that was meant goes out as one."""
    assert encode_json({"category": None, "a": [None, 1.5]}) == b'{"category":null,"a":[null,1.5]}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**64, b"18446744073709551616"),
        (-(2**63) - 1, b"-9223372036854775809"),
        ([2**70, "\u00e9"], b'[1180591620717411303424,"\xc3\xa9"]'),
    ],
)
def test_what_orjson_does_not_write(value: Any, text: bytes) -> None:
    """An integer over 64 bits goes out as it is."""
    assert encode_json({"a": value, "b": UNSET}) == b'{"a":' + text + b"}"
    assert encode_json({"a": value}) == b'{"a":' + text + b"}"


def test_deep_bodies() -> None:
    """A body of 300 levels goes out; one that Python cannot write is refused, by our error."""
    nested: Any = 1
    for _ in range(300):
        nested = [nested]
    assert encode_json(nested) == b"[" * 300 + b"1" + b"]" * 300
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(InvalidArgumentError, match="nested too deeply"):
        encode_json(nested)
    with pytest.raises(InvalidArgumentError, match="digits"):
        encode_json(10**5000)


def test_an_iterator_is_no_list() -> None:
    """An iterator could be used up before the body is written: it is refused, never sent empty."""
    for beside in ({}, {"b": UNSET}):
        with pytest.raises(InvalidArgumentError, match=r"body\.a"):
            encode_json({"a": map(str, (1, 2)), **beside})


@pytest.mark.parametrize("body", [{"a": UUID(int=1)}, {"a": UUID(int=1), "b": UNSET}])
def test_a_uuid_is_its_text(body: Any) -> None:
    """What stands beside a value does not decide whether it can be sent."""
    assert encode_json(body) == b'{"a":"00000000-0000-0000-0000-000000000001"}'

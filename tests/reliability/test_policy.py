"""The retry policy and the reading of headers: pure, without a loop."""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async import ConnectError, InvalidArgumentError, ReadTimeout, RetryPolicy
from voucherify_async._protocol import answers
from voucherify_async._protocol.answers import Answer
from voucherify_async._protocol.rate_limits import rate_limit, retry_after, server_time
from voucherify_async._protocol.retry import (
    PATIENCE,
    Outcome,
    finds_it_gone,
    is_repeatable,
    may_have_happened,
    settles,
)
from voucherify_async.errors import PoolTimeout, ReadError

from .conftest import policy

NOW = 1_780_000_000.0
READS = ("GET", "HEAD", "OPTIONS")
REPEATED = (408, 425, 429, 502, 503, 504)
REFUSALS = (400, 401, 402, 403, 404, 405, 406, 409, 413, 415, 422, 423)
OF_PROXIES = (408, 421, 425, 444, 460, 499)


def answer(status: int, **headers: str) -> Answer:
    """An answer whose header names are written with underscores."""
    return Answer(status, {name.replace("_", "-"): text for name, text in headers.items()}, b"")


def own(status: int) -> Answer:
    """An error that Voucherify itself wrote."""
    body = {"code": status, "key": "a_key", "message": "A message"}
    return Answer(status, {}, orjson.dumps(body))


def broken(*, status_code: int | None = None, sent: bool = True) -> ReadError:
    """A connection that broke, perhaps after the head of an answer."""
    error = ReadError("broke")
    error.status_code, error.sent = status_code, sent
    return error


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("status", REPEATED)
def test_transient_statuses_repeat_idempotent_methods(method: str, status: int) -> None:
    """GET, PUT and DELETE are repeated after each of the transient statuses."""
    assert is_repeatable(method, answer(status))


@pytest.mark.parametrize("method", ["POST", "PATCH", "QUERY"])
@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, *REFUSALS, 301])
def test_other_methods_are_not_repeated_after_them(method: str, status: int) -> None:
    """POST, and any method that is not known to be idempotent, is not repeated after them."""
    assert not is_repeatable(method, answer(status))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [*REFUSALS, 301, 302, 501])
def test_refusals_are_not_repeated(method: str, status: int) -> None:
    """A refusal is final for every method."""
    assert not is_repeatable(method, answer(status))


def test_500_repeats_reads_alone() -> None:
    """500 is repeated for GET and for no write."""
    assert is_repeatable("GET", answer(500))
    assert not any(is_repeatable(method, answer(500)) for method in ("PUT", "DELETE", "POST"))


def test_a_post_is_repeated_where_it_surely_was_not_begun() -> None:
    """No connection, a full pool, an unfinished request and 429 repeat a POST."""
    unfinished = broken(sent=False)
    outcomes: list[Outcome] = [ConnectError(""), PoolTimeout(""), unfinished, answer(429)]
    assert all(is_repeatable("POST", outcome) for outcome in outcomes)


@pytest.mark.parametrize("error", [ReadTimeout(""), broken(), broken(status_code=400)])
def test_a_sent_post_is_not_repeated(error: ReadTimeout | ReadError) -> None:
    """Once a POST may have been sent whole, no broken connection or timeout repeats it."""
    assert not is_repeatable("POST", error)
    assert all(is_repeatable(method, error) for method in ("GET", "PUT", "DELETE"))


OPENS: dict[str, Outcome] = {
    **{f"{status}": answer(status) for status in (301, 302, 307, 308, 500, 502, 503, 504)},
    "503 with Retry-After": answer(503, retry_after="1"),
    **{f"a proxy's {status}": answer(status) for status in (*REFUSALS, *OF_PROXIES)},
    **{f"own {status}": own(status) for status in OF_PROXIES},
    "broken": broken(),
    "timeout": ReadTimeout(""),
    "body broken": broken(status_code=200),
    "refusal broken": broken(status_code=404),
}
SHUTS: dict[str, Outcome] = {
    **{f"own {status}": own(status) for status in REFUSALS},
    "429": answer(429),
    "429 broken": broken(status_code=429),
    "no connection": ConnectError(""),
    "no free connection": PoolTimeout(""),
    "unfinished": broken(sent=False),
}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("outcome", OPENS.values(), ids=list(OPENS))
def test_writes_that_may_have_happened(method: str, outcome: Outcome) -> None:
    """What a proxy says, a 5xx, a redirect and a broken answer leave it open."""
    assert may_have_happened(method, outcome)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("outcome", SHUTS.values(), ids=list(SHUTS))
def test_writes_that_did_not_happen(method: str, outcome: Outcome) -> None:
    """An unfinished request, a 429, and a refusal in Voucherify's own words settle it."""
    assert not may_have_happened(method, outcome)


@pytest.mark.parametrize(
    ("status", "body", "is_own"),
    [
        (400, {"code": 400, "key": "invalid_payload", "message": "Invalid payload"}, True),
        (400, {"code": 404, "key": "not_found", "message": "Resource not found"}, True),
        (413, {"statusCode": 413, "error": "Request Entity Too Large", "message": "x"}, True),
        (400, {"statusCode": 400, "error": "Bad Request", "message": "x"}, False),
        (403, {"message": "Forbidden"}, False),
        (400, {"code": 400}, False),
        (400, {"code": 400, "message": "x"}, False),
        (400, {"code": 400, "key": None, "message": "x"}, False),
        (400, {"key": "invalid_payload", "message": "x"}, False),
        (401, {"code": 401, "message": "Unauthorized", "details": "The token expired"}, True),
        (401, {"code": 16, "message": "Unauthorized", "details": "The token expired"}, False),
        (401, {"code": 401, "message": "Unauthorized", "details": []}, False),
        (404, {"error": {"code": 404, "message": "no such host"}}, False),
        (400, [], False),
        (400, None, False),
    ],
)
def test_whose_error_it_is(status: int, body: object, is_own: bool) -> None:
    """Voucherify's error has its code, key and message; a gateway's has other keys."""
    assert answers.is_own_error(Answer(status, {}, orjson.dumps(body))) is is_own


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"code": 400, "key": "x"'])
def test_a_page_is_not_an_error_of_the_api(content: bytes) -> None:
    """An empty body, HTML and a cut body are nobody's words."""
    assert not answers.is_own_error(Answer(400, {}, content))


@pytest.mark.parametrize("method", READS)
def test_reads_never_happened(method: str) -> None:
    """Nothing that becomes of a read leaves a question open."""
    assert not may_have_happened(method, answer(500))
    assert not may_have_happened(method, ReadTimeout(""))


@pytest.mark.parametrize("status", [401, 402, 403, 408, 423, 425, 429, 500, 503])
def test_answers_of_the_moment_settle_nothing(status: int) -> None:
    """Only a refusal that is about the request answers for the attempt before it."""
    assert not settles(own(status))


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 415, 422])
def test_refusals_settle_the_attempt_before(status: int) -> None:
    """A refusal in Voucherify's own words does; the same status of a proxy does not."""
    assert settles(own(status))
    assert not settles(answer(status))


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_what_is_gone(method: str) -> None:
    """Only Voucherify's own 404 says that a DELETE has nothing left to do."""
    assert finds_it_gone(method, own(404)) is (method == "DELETE")
    assert not finds_it_gone(method, answer(404))
    assert not finds_it_gone(method, own(400))


def test_backoff_doubles_up_to_its_ceiling() -> None:
    """Without chance the waits are 0.5, 1, 2, 4, 8, 8 seconds."""
    long = policy(max_attempts=5000)
    waits = [long.wait("GET", answer(502), attempt=n, now=NOW) for n in (1, 2, 3, 4, 5, 6, 4999)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8]


@given(st.floats(0, 1), st.integers(1, 3))
def test_jitter_is_full(chance: float, attempt: int) -> None:
    """The wait is any part of the ceiling, none and all included."""
    jittered = RetryPolicy(random=lambda: chance)
    ceiling = 0.5 * 2 ** (attempt - 1)
    assert jittered.wait("GET", answer(502), attempt=attempt, now=NOW) == ceiling * chance


def test_attempts_run_out() -> None:
    """The fourth attempt is the last by default, and the first of a policy of one."""
    assert policy().wait("GET", answer(502), attempt=3, now=NOW) is not None
    assert policy().wait("GET", answer(502), attempt=4, now=NOW) is None
    assert policy(max_attempts=1).wait("GET", answer(502), attempt=1, now=NOW) is None


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_a_stated_wait_wins_over_backoff(status: int) -> None:
    """`Retry-After` is obeyed with every repeated status."""
    assert policy().wait("GET", answer(status, retry_after="7"), attempt=1, now=NOW) == 7


def test_the_end_of_the_window_matters_after_429_alone() -> None:
    """Every answer tells when the window turns; only a 429 makes that worth waiting for."""
    turns = str(int(NOW) + 6)
    told = {"x_rate_limit_retry": turns}
    assert policy().wait("POST", answer(429, **told), attempt=1, now=NOW) == 6
    assert policy().wait("GET", answer(503, **told), attempt=1, now=NOW) == 0.5


def test_a_wait_over_the_most_gives_up() -> None:
    """A stated wait over `max_wait` ends the call; one of just that length is waited."""
    brief = policy(max_wait=5.0)
    assert brief.wait("GET", answer(429, retry_after="5"), attempt=1, now=NOW) == 5
    assert brief.wait("GET", answer(429, retry_after="6"), attempt=1, now=NOW) is None


def test_patience_has_an_end() -> None:
    """Bulk work waits out an hour's window, and not a month's quota."""
    hour, month = answer(429, retry_after="3600"), answer(429, retry_after="2600000")
    assert policy().wait("POST", hour, attempt=1, now=NOW, patient=True) == 3600
    assert policy().wait("POST", month, attempt=1, now=NOW, patient=True) is None
    endless = policy(max_wait=math.inf)
    assert endless.wait("GET", hour, attempt=1, now=NOW) == 3600
    assert endless.wait("GET", month, attempt=1, now=NOW) is None
    assert policy(max_wait=3e6).wait("GET", month, attempt=1, now=NOW) == 2_600_000
    assert PATIENCE > 3600


@pytest.mark.parametrize(
    "setting",
    [
        {"max_attempts": 0},
        {"backoff": -1},
        {"max_wait": -1},
        {"deadline": 0},
        {"max_wait": math.nan},
        {"max_attempts": 2.5},
        {"max_attempts": True},
        {"max_attempts": "4"},
        {"backoff": "1"},
        {"backoff": math.inf},
        {"max_backoff": None},
        {"max_wait": 10**400},
        {"deadline": "5"},
        {"attempt_timeout": 0},
        {"attempt_timeout": False},
        {"random": 0.5},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(setting: dict[str, Any]) -> None:
    """A policy of no attempts or of negative waits is refused where it is made."""
    with pytest.raises(InvalidArgumentError, match=next(iter(setting))):
        policy(**setting)


def test_retry_after_in_seconds() -> None:
    """Seconds are taken as they are, whatever the clocks say."""
    assert retry_after({"retry-after": "30", "date": formatdate(0)}, NOW) == 30
    assert retry_after({"retry-after": " 1.5 "}, NOW) == 1.5
    assert retry_after({"retry-after": "0"}, NOW) == 0


@pytest.mark.parametrize("skew", [-7200, 0, 7200])
def test_retry_after_as_a_date_is_read_by_the_servers_clock(skew: int) -> None:
    """A date is compared with the answer's `Date`, so that a skewed clock here does no harm."""
    headers = {"retry-after": formatdate(NOW + 20, usegmt=True)}
    headers["date"] = formatdate(NOW, usegmt=True)
    assert retry_after(headers, NOW + skew) == 20


@pytest.mark.parametrize("skew", [-7200, 0, 7200])
def test_the_epoch_form_is_read_by_the_servers_clock(skew: int) -> None:
    """`X-Rate-Limit-Retry` too."""
    headers = {"x-rate-limit-retry": str(int(NOW) + 20), "date": formatdate(NOW, usegmt=True)}
    assert retry_after(headers, NOW + skew) == 20
    del headers["date"]
    assert retry_after(headers, NOW) == 20


def test_the_past_is_no_wait() -> None:
    """An instant that is over means now, and never a negative wait."""
    assert retry_after({"retry-after": formatdate(NOW - 99, usegmt=True)}, NOW) == 0
    assert retry_after({"x-rate-limit-retry": str(int(NOW) - 99)}, NOW) == 0


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "-5", "nan", "inf", "1e9", "9" * 25, "Mon, 99 Foo 2026"]
)
def test_garbage_is_as_if_not_stated(text: str) -> None:
    """What is no number and no date falls back to the other header, then to None."""
    turns = str(int(NOW) + 6)
    assert retry_after({"retry-after": text}, NOW) is None
    assert retry_after({"retry-after": text, "x-rate-limit-retry": turns}, NOW) == 6


@given(st.text(max_size=40))
def test_no_header_text_breaks_the_reading(text: str) -> None:
    """Whatever a header holds, the wait is None or a number from 0, and the quota can be read."""
    names = ("retry-after", "date", "x-rate-limit-retry", "x-rate-limit-limit")
    for name in names:
        wait = retry_after({name: text}, NOW)
        assert wait is None or 0 <= wait < math.inf
    rate_limit(dict.fromkeys((*names, "x-rate-limit-remaining"), text))
    assert math.isfinite(server_time({"date": text}, NOW))


def test_a_huge_wait_is_told_and_not_waited() -> None:
    """An absurd number gives up with that number, instead of sleeping for ever."""
    absurd = answer(429, retry_after="9" * 15)
    assert retry_after(absurd.headers, NOW) == pytest.approx(1e15)
    assert policy().wait("GET", absurd, attempt=1, now=NOW, patient=True) is None


def test_the_quota_is_read() -> None:
    """Limit, count and turn are read; an instant that no calendar has is None."""
    headers = {"x-rate-limit-limit": "500", "x-rate-limit-remaining": "3"}
    quota = rate_limit({**headers, "x-rate-limit-retry": "0", "x-rate-limit-type": "api_calls"})
    assert quota is not None
    assert (quota.limit, quota.remaining, quota.type) == (500, 3, "api_calls")
    assert quota.resets_at is not None
    assert quota.resets_at.timestamp() == 0
    huge = rate_limit({**headers, "x-rate-limit-retry": "9" * 18})
    assert huge is not None
    assert huge.resets_at is None
    assert rate_limit({}) is None

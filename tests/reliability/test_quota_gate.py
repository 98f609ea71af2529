"""What answers make of the quota: without requests, on a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async._calls.limits import Limit
from voucherify_async._calls.quota import Quota
from voucherify_async._protocol import rate_limits
from voucherify_async._protocol.answers import Answer
from voucherify_async._protocol.rate_limits import ASK_AGAIN, LONGEST_WINDOW

from .conftest import START, MovingClock, Stopping, policy


def told(remaining: int | None, window: int | None, *, status: int = 200, **more: str) -> Answer:
    """An answer that states a quota of 10."""
    headers = {"x-rate-limit-limit": "10", **{k.replace("_", "-"): v for k, v in more.items()}}
    if remaining is not None:
        headers["x-rate-limit-remaining"] = str(remaining)
    if window is not None:
        headers["x-rate-limit-retry"] = str(window)
    return Answer(status, headers, b"")


def after(clock: MovingClock, *answers: Answer) -> Quota:
    """A quota that saw these answers."""
    quota = Quota(clock)
    for answer in answers:
        assert quota.try_enter()
        quota.leave(answer)
    return quota


def how_many(quota: Quota) -> int:
    """How many requests may be under way at once, up to 50."""
    return sum(quota.try_enter() for _ in range(50))


def test_answers_that_overtake_each_other(clock: MovingClock) -> None:
    """Within a window the lowest count is the latest; one of a window before says nothing."""
    turn = int(clock.time()) + 60
    assert how_many(after(clock, told(5, turn), told(7, turn))) == 5
    assert how_many(after(clock, told(5, turn), told(1, turn - 60))) == 5
    assert how_many(after(clock, told(1, turn), told(9, turn + 60))) == 9


def test_a_straggler_does_not_close_the_new_window(clock: MovingClock) -> None:
    """After the turn an answer of the window before is of no account."""
    turn = int(clock.time()) + 60
    quota = Quota(clock)
    assert quota.try_enter()
    assert quota.try_enter()
    quota.leave(told(0, turn))
    assert not quota.try_enter()
    clock.move(61)
    assert quota.try_enter()
    # It was made before the turn, and tells by its own clock how far off that was.
    quota.leave(told(0, turn, date=formatdate(turn - 5, usegmt=True)))
    assert how_many(quota) == 9


def test_missing_headers_hold_nothing_back(clock: MovingClock) -> None:
    """Without quota headers, or without the turn, nobody waits for what will not be told."""
    bare = Answer(200, {}, b"")
    assert how_many(after(clock, bare, bare)) == 50
    assert how_many(after(clock, told(None, None, status=429))) == 10
    assert how_many(after(clock, told(0, None))) == 10
    assert how_many(after(clock, told(3, None), told(8, None))) == 8


def test_a_refusal_closes_whatever_was_counted(clock: MovingClock) -> None:
    """A 429 means none is left; its `Retry-After` says until when."""
    turn = int(clock.time()) + 60
    quota = after(clock, told(9, turn), told(None, None, status=429, retry_after="30"))
    assert how_many(quota) == 0
    clock.move(31)
    assert how_many(quota) == 10


def test_a_gateways_refusal_closes_for_its_own_wait_only(clock: MovingClock) -> None:
    """A 429 that does not count calls is not Voucherify's: the window is what it was."""
    turn = int(clock.time()) + 3000
    gateway = Answer(429, {"retry-after": "1"}, b"")
    quota = after(clock, told(99, turn))
    assert quota.try_enter()
    assert quota.try_enter()
    quota.leave(gateway)
    assert quota.opens_in() == 1
    # It was under way meanwhile, and says nothing new of the gateway.
    quota.leave(told(98, turn))
    assert how_many(quota) == 0
    clock.move(1)
    assert how_many(quota) == 50


MISTAKES = {
    "milliseconds for seconds": lambda now: told(0, (now + 60) * 1000),
    "digits without end": lambda _: told(0, int("9" * 40)),
    "a month": lambda now: told(0, now + 30 * 86_400),
    "a slow Date": lambda now: told(0, now + 90, date=formatdate(now - 1800, usegmt=True)),
    "a refusal with a month": lambda _: told(0, None, status=429, retry_after="2592000"),
    "a gateway's month": lambda _: Answer(429, {"retry-after": "2592000"}, b""),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
def test_what_may_be_a_mistake_does_not_close_the_client(
    clock: MovingClock, mistake: Callable[[int], Answer]
) -> None:
    """After a minute a request may ask again, and what it is told counts."""
    absurd = mistake(int(clock.time()))
    quota = after(clock, absurd)
    for _ in range(3):
        clock.move(ASK_AGAIN - 1)
        assert how_many(quota) == 0
        clock.move(1)
        assert quota.try_enter()
        if "x-rate-limit-limit" in absurd.headers:
            assert how_many(quota) == 0
        quota.leave(absurd)
    clock.move(ASK_AGAIN)
    assert quota.try_enter()
    quota.leave(told(8, int(clock.time()) + 60))
    assert how_many(quota) == 8


@pytest.mark.parametrize(
    ("answer", "go"), [(Answer(200, {}, b""), 50), (Answer(502, {}, b""), 50), (None, 1)]
)
def test_asking_without_being_told_closes_nothing(
    clock: MovingClock, answer: Answer | None, go: int
) -> None:
    """Where the answer does not tell, all may go; where none came, the next one asks."""
    quota = after(clock, told(0, 10**15))
    clock.move(ASK_AGAIN)
    assert quota.try_enter()
    quota.leave(answer)
    assert how_many(quota) == go


def test_an_absurd_window_is_not_taken_for_the_latest(clock: MovingClock) -> None:
    """Beside milliseconds for seconds every later window would look like one of the past."""
    turn = int(clock.time()) + 60
    assert how_many(after(clock, told(20, turn * 1000), told(5, turn))) == 5


def test_a_date_of_another_day_is_as_if_not_stated(clock: MovingClock) -> None:
    """The window is then read by our own clock."""
    turn = int(clock.time()) + 300
    quota = after(clock, told(0, turn, date="Thu, 01 Jan 1970 00:00:00 GMT"))
    clock.move(299)
    assert how_many(quota) == 0
    clock.move(2)
    assert how_many(quota) == 10


def _date(seconds: int) -> str:
    try:
        return formatdate(seconds, usegmt=True)
    except (ValueError, OverflowError, OSError):
        return str(seconds)


NOW = int(START.timestamp())
TEXTS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.integers(NOW - 7200, NOW + 7200).map(str),
    st.sampled_from(["", "nan", "inf", "1e9", "0x10", "\u0661\u0662", "\u00b2", "9" * 5000, "-0"]),
    st.integers(-(10**11), 10**11).map(_date),
    st.sampled_from(["Fri, 31 Dec 999999999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359"]),
    st.text(max_size=30),
)
ANSWERS = st.builds(
    Answer,
    st.sampled_from([200, 404, 429, 429, 503]),
    st.dictionaries(
        st.sampled_from(
            [
                "date",
                "retry-after",
                "x-rate-limit-limit",
                "x-rate-limit-remaining",
                "x-rate-limit-retry",
                "x-rate-limit-type",
            ]
        ),
        TEXTS,
    ),
    st.just(b""),
)


@given(st.lists(st.tuples(ANSWERS, st.floats(0, 100)), max_size=12))
def test_no_answer_breaks_the_gate_or_shuts_it_for_good(
    answered: list[tuple[Answer, float]],
) -> None:
    """Whatever answers say, nothing raises, nothing stays counted, and an hour later it is open."""
    clock = MovingClock()
    quota = Quota(clock)
    for answer, pause in answered:
        if quota.try_enter():
            quota.leave(answer)
        wait = quota.opens_in()
        assert wait is None or 0 <= wait <= LONGEST_WINDOW
        shown = rate_limits.rate_limit(answer.headers)
        assert shown is None or shown.limit is None or shown.limit >= 0
        stated = rate_limits.retry_after(answer.headers, clock.time())
        assert stated is None or 0 <= stated <= 10**15
        assert abs(rate_limits.server_time(answer.headers, clock.time()) - clock.time()) <= 86_400
        clock.move(pause)
    assert quota._under_way == 0
    clock.move(LONGEST_WINDOW)
    assert quota.try_enter()


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_the_turn_is_read_by_the_servers_clock(clock: MovingClock, skew: int) -> None:
    """A skewed clock here neither opens the gate early nor keeps it shut."""
    server = int(clock.time()) + skew
    quota = after(clock, told(0, server + 60, date=formatdate(server, usegmt=True)))
    clock.move(59)
    assert not quota.try_enter()
    clock.move(2)
    assert quota.try_enter()


@pytest.mark.anyio
async def test_a_newcomer_does_not_overtake_those_who_wait(clock: MovingClock) -> None:
    """The window has turned, and whoever waited for it has not woken up yet: it is their turn."""
    stopping = Stopping(clock)
    quota = Quota(stopping)
    assert quota.try_enter()
    quota.leave(told(0, int(clock.time()) + 60))
    async with anyio.create_task_group() as group:
        group.start_soon(quota.enter, 100.0, Limit.of_call(clock, "GET", "/x", policy()))
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        clock.move(61)
        assert not quota.try_enter()
        group.cancel_scope.cancel()
    assert quota.try_enter()

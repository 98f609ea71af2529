"""What a store decides: the same in Python and in Redis."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis import Redis

from voucherify_async import QuotaGrant, QuotaRequest, RedisQuotaStore
from voucherify_async._protocol.quota_decisions import LEASE, QuotaNews
from voucherify_async._protocol.rate_limits import LONGEST_WINDOW

NOW = 1_750_000_000
MS = NOW * 1000
LONGEST = int(LONGEST_WINDOW * 1000)


def ask(state: Any, at: float = NOW, **request: Any) -> tuple[Any, QuotaGrant]:
    """What becomes of a request of "me"; the state is what it would be as JSON."""
    asked = QuotaRequest(**{"holder": "me", "held": 0, "wanted": 10, **request})
    kept, grant = asked.decide(state, at)
    return json.loads(json.dumps(kept)), grant


def known(remaining: int | None, held: int = 0, **more: Any) -> dict[str, Any]:
    """The state of a quota of 60 that turns in 10 s, of which another process holds a part."""
    holders = {"other": [held, MS + 3000]} if held else {}
    state = {"at": MS, "limit": 60, "window": NOW + 10, "turns": MS + 10_000, "holders": holders}
    kept = {**state, "remaining": remaining, **more}
    return {name: value for name, value in kept.items() if value is not None}


def news(remaining: int | None, window: int | None = NOW + 10, **more: Any) -> QuotaNews:
    """What an answer stated."""
    stated = {"remaining": remaining, "limit": 60, "window": window, "turns_in": 9_000}
    return QuotaNews(**{**stated, **more})


GRANTS: dict[str, tuple[Any, dict[str, Any], int, float | None]] = {
    "nothing is known: one call of each process finds out": (None, {}, 1, None),
    "and no second one meanwhile": (None, {"held": 1}, 0, None),
    "of another process, too": (
        {"at": MS, "asking": MS + 1, "holders": {"o": [1, MS + 1]}},
        {},
        1,
        None,
    ),
    "nobody answered that call for long": (
        {"at": MS, "asking": MS, "holders": {}},
        {"held": 1},
        10,
        None,
    ),
    "an answer states no quota": (None, {"news": QuotaNews()}, 10, None),
    "half of what is left to one alone": (known(8), {}, 4, None),
    "half of a share": (known(60, held=20), {}, 10, None),
    "the last ones one by one": (known(3, held=1), {}, 1, None),
    "not what another process holds": (known(3, held=3), {}, 0, None),
    "nor what it holds itself": (known(3), {"held": 3}, 0, None),
    "nor more than is wanted": (known(60), {"wanted": 2}, 2, None),
    "used up until the turn": (known(0), {}, 0, 10.0),
    "a new window after the turn": (known(0, turns=MS), {}, 10, None),
    "in which what is under way counts": (known(0, turns=MS, held=59), {}, 1, None),
    "no limit is known after the turn": (known(0, turns=MS, limit=None), {}, 10, None),
    "the turn is not known": (known(0, turns=None), {}, 10, None),
    "one process died": (known(3, holders={"dead": [3, MS]}), {}, 1, None),
    "an answer of this window": (known(30), {"news": news(2)}, 1, None),
    "an answer that was overtaken": (known(2), {"news": news(30)}, 1, None),
    "an answer of the window before": (known(30, ended=NOW), {"news": news(0, NOW)}, 10, None),
    "an answer of an earlier window": (known(30), {"news": news(0, NOW + 5)}, 10, None),
    "a straggling refusal closes": (
        known(30, ended=NOW),
        {"news": news(0, NOW, is_refusal=True)},
        0,
        9.0,
    ),
    "an answer of the next window": (known(0), {"news": news(50, NOW + 20)}, 10, None),
    "an earlier turn of the same window": (known(0), {"news": news(0)}, 0, 9.0),
    "a later turn of the same window": (known(0), {"news": news(0, turns_in=11_000)}, 0, 10.0),
    "a gateway's pause": (known(60), {"news": QuotaNews(paused_for=1500)}, 0, 1.5),
    "within a longer pause": (
        known(60, paused=MS + 2000),
        {"news": QuotaNews(paused_for=1500)},
        0,
        2.0,
    ),
    "what may be a mistake: one asks": (known(0, is_certain=False, turns=MS), {}, 1, None),
    "a store's clock that was set back": (known(0, turns=MS + 10**9), {}, 0, LONGEST / 1000),
    "the same of a pause": (known(9, paused=MS + 10**9), {}, 0, LONGEST / 1000),
    "the same of what is held": (known(3, holders={"other": [2, MS + 10**9]}), {}, 1, None),
    "somebody else's data": ({"at": MS, "holders": 5}, {}, 1, None),
    "somebody else's numbers": ({**known(1), "remaining": "many"}, {}, 1, None),
}


@pytest.mark.parametrize(
    ("state", "request_", "granted", "wait"), GRANTS.values(), ids=list(GRANTS)
)
def test_grants(state: Any, request_: Any, granted: int, wait: float | None) -> None:
    """How many calls are granted, or how long nobody can say more."""
    assert ask(state, **request_)[1] == QuotaGrant(granted=granted, wait=wait)


def test_what_is_held_lapses_and_is_said_anew_each_time() -> None:
    """What a process holds is what it says and is granted, not a sum; it lapses by itself."""
    state, grant = ask(known(60), held=2, wanted=3)
    assert state["holders"] == {"me": [2 + grant.granted, MS + int(LEASE * 1000)]}
    state, _ = ask(state, holder="other", wanted=1)
    assert ask(state, held=2, wanted=3)[0]["holders"]["me"][0] == 5
    assert set(ask(state, at=NOW + LEASE, holder="third")[0]["holders"]) == {"third"}
    assert "me" not in ask(state, held=0, wanted=0)[0]["holders"]


@st.composite
def states(draw: st.DrawFn) -> Any:
    """What a store may hold; instants are relative to now."""
    near = st.integers(-5_000, 5_000)
    state: dict[str, Any] = {
        "remaining": draw(st.none() | st.integers(0, 70)),
        "limit": draw(st.none() | st.integers(0, 70)),
        "window": draw(st.none() | st.integers(NOW - 3, NOW + 3)),
        "ended": draw(st.none() | st.integers(NOW - 3, NOW + 3)),
        "turns": draw(st.none() | near | st.just(10**8)),
        "is_certain": draw(st.booleans()),
        "paused": draw(st.just(-1) | near | st.just(10**8)),
        "asking": draw(st.none() | near),
        "holders": draw(
            st.dictionaries(
                st.sampled_from(["me", "a", "b"]), st.tuples(st.integers(0, 30), near), max_size=3
            )
        ),
    }
    if draw(st.integers(0, 9)) == 0:
        state[draw(st.sampled_from(["remaining", "turns", "holders", "paused"]))] = "rubbish"
    return {name: value for name, value in state.items() if value is not None}


REQUESTS = st.builds(
    QuotaRequest,
    holder=st.just("me"),
    held=st.integers(0, 20),
    wanted=st.integers(0, 50),
    news=st.none()
    | st.builds(
        QuotaNews,
        remaining=st.none() | st.integers(0, 70),
        limit=st.none() | st.integers(0, 70),
        window=st.none() | st.integers(NOW - 3, NOW + 3),
        turns_in=st.none() | st.integers(-3_000, 60_000),
        is_certain=st.booleans(),
        is_refusal=st.booleans(),
        paused_for=st.just(0) | st.integers(0, 5_000),
    ),
)


def _moved(state: Any, by: int) -> Any:
    """A state with its instants moved."""
    moved = {"at": by, **state}
    for name in ("turns", "paused", "asking"):
        if isinstance(moved.get(name), int):
            moved[name] += by
    if isinstance(moved.get("holders"), dict):
        moved["holders"] = {
            name: [held, lapses + by] for name, (held, lapses) in moved["holders"].items()
        }
    return moved


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.none() | states(), REQUESTS)
@example({"holders": {}}, QuotaRequest(holder="me", held=0, wanted=0))
@example({"remaining": 0, "holders": {}}, QuotaRequest(holder="me", held=0, wanted=50))
def test_redis_decides_like_python(redis_url: str, state: Any, request: QuotaRequest) -> None:
    """The script in Redis and `QuotaRequest.decide` keep and answer the same."""
    redis_key = "voucherify:{key}"
    with Redis.from_url(redis_url, decode_responses=True) as client:
        redis: Any = client
        redis.delete(redis_key)
        if state is not None:
            seconds, micros = redis.time()
            state = _moved(state, seconds * 1000 + micros // 1000)
            redis.set(redis_key, json.dumps(state))

        async def run() -> QuotaGrant:
            store = RedisQuotaStore(redis_url, timeout=5)
            try:
                return await store.ask("key", request)
            finally:
                await store.aclose()

        granted = asyncio.run(run())
        kept = json.loads(str(redis.get(redis_key)))
        expected, grant = request.decide(state, kept["at"] / 1000 + 0.0001)
    assert kept == json.loads(json.dumps(expected))
    assert granted == grant


@given(st.lists(st.tuples(REQUESTS, st.sampled_from(["me", "a"]), st.floats(0, 100)), max_size=12))
def test_nothing_shuts_a_quota_for_good(requests: Any) -> None:
    """Whatever is said, nobody is granted more than was wanted, and later somebody may go."""
    state, now = None, float(NOW)
    for request, holder, pause in requests:
        state, grant = QuotaRequest(
            holder=holder, held=request.held, wanted=request.wanted, news=request.news
        ).decide(state, now)
        assert 0 <= grant.granted <= request.wanted
        assert grant.wait is None or 0 <= grant.wait <= LONGEST_WINDOW
        now += pause
    assert ask(state, at=now + LONGEST_WINDOW + LEASE)[1].granted > 0

"""The ledger on the server equals what the callers were told, whatever goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voucherify_async import AmbiguousOutcomeError, BalanceUpdate, VoucherifyError
from voucherify_async.testing import FakeVoucherify
from voucherify_async.testing._server.faults import Faults

from .conftest import MovingClock, policy

UPDATES = 50
Fault = Callable[[Faults], Any]

FAULTS: list[Fault] = [
    lambda f: f.ok(),
    lambda f: f.reset(),
    lambda f: f.disconnect(),
    lambda f: f.refuse(),
    lambda f: f.lose_answer(),
    lambda f: f.reset_after_headers(),
    lambda f: f.cut_body(keep=0.5),
    lambda f: f.cut_body(keep=0.95),
    lambda f: f.timeout("connect"),
    lambda f: f.timeout("read"),
    lambda f: f.timeout("read", applied=True),
    lambda f: f.timeout("write", applied=True),
    lambda f: f.drip(chunk=7),
    lambda f: f.garbage(),
    lambda f: f.garbage(applied=False),
    lambda f: f.empty(),
    lambda f: f.truncated_gzip(),
    lambda f: f.html(502),
    lambda f: f.html(502, applied=True),
    lambda f: f.status(500),
    lambda f: f.status(500, applied=True),
    lambda f: f.status(503, times=3),
    lambda f: f.status(503, headers={"Retry-After": "2"}, times=3),
    lambda f: f.status(504, applied=True),
    lambda f: f.status(400),
    lambda f: f.status(404),
    lambda f: f.status(408),
    lambda f: f.status(409),
    lambda f: f.status(423),
    lambda f: f.status(302, headers={"Location": "https://elsewhere.test/"}),
    lambda f: f.rate_limited(2, form="seconds"),
    lambda f: f.rate_limited(2, form="date"),
    lambda f: f.rate_limited(2, form="reset", times=5),
    lambda f: f.rate_limited(form="none", times=5),
    lambda f: f.rate_limited(500),
]
# An answer that says it was done while it was not is a lie that no client can see through.
LIES = {14}

schedules = st.lists(
    st.sampled_from([n for n in range(len(FAULTS)) if n not in LIES]), min_size=10, max_size=80
)
updates = st.lists(
    st.tuples(st.integers(-30, 30).filter(bool), st.booleans()), min_size=UPDATES, max_size=UPDATES
)
bounded = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def test_every_kind_of_fault_is_in_the_schedules() -> None:
    """No fault of the server that a client can tell from a success is left out."""
    clock = MovingClock()
    faults = FakeVoucherify(now=clock.now).faults
    for script in FAULTS:
        script(faults)
    told = {fault.name for fault in faults.pending}
    offered = {name for name in vars(Faults) if not name.startswith("_")}
    no_faults = {"add", "clear", "pending", "take", "stall", "end_token"}
    no_faults |= {"landing", "land", "land_due", "land_late"}
    assert offered - told == no_faults


@pytest.mark.sampled(ways=1)
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("at_once", [1, 8])
@given(schedule=schedules, amounts=updates)
@bounded
def test_the_ledger_equals_what_the_callers_were_told(
    loop: str, at_once: int, schedule: list[int], amounts: list[tuple[int, bool]]
) -> None:
    """50 balance updates meet a random schedule of faults, one at a time or eight at once."""
    anyio.run(_play, schedule, amounts, at_once, backend=loop)


async def _play(schedule: list[int], amounts: list[tuple[int, bool]], at_once: int) -> None:
    clock = MovingClock()
    fake = FakeVoucherify(now=clock.now)
    fake.add_voucher(code="CARD", gift={"amount": 1000})
    for number in schedule:
        FAULTS[number](fake.faults)
    told: dict[str, BalanceUpdate | VoucherifyError] = {}

    async def update(source_id: str, amount: int, *, confirm: bool) -> None:
        call = client.vouchers.update_balance
        try:
            told[source_id] = await call("CARD", amount, source_id=source_id, confirm=confirm)
        except VoucherifyError as error:
            told[source_id] = error

    async def take_turns(first: int) -> None:
        for number in range(first, len(amounts), at_once):
            amount, confirm = amounts[number]
            await update(f"update-{number}", amount, confirm=confirm)

    options: dict[str, Any] = {"clock": clock, "retry": policy()}
    # Far beyond what the moved clock makes of it: a schedule that hangs ends here, and fails.
    with anyio.fail_after(30):
        async with fake, fake.client(**options) as client, anyio.create_task_group() as group:
            for first in range(at_once):
                group.start_soon(take_turns, first)
    _compare(fake, told, amounts)


def _compare(
    fake: FakeVoucherify,
    told: dict[str, BalanceUpdate | VoucherifyError],
    amounts: list[tuple[int, bool]],
) -> None:
    ledger = [t for t in fake.transactions("CARD") if t["source_id"] in told]
    landed = Counter(t["source_id"] for t in ledger)
    by_label = {t["source_id"]: t["details"]["balance"] for t in ledger}
    assert len(told) == len(amounts)
    for number, (amount, _) in enumerate(amounts):
        label = f"update-{number}"
        outcome = told[label]
        if isinstance(outcome, BalanceUpdate):
            assert landed[label] == 1, f"{label}: success told, {landed[label]} done"
            assert outcome.amount == amount
            assert outcome.balance == by_label[label]["balance"]
        elif isinstance(outcome, AmbiguousOutcomeError):
            assert landed[label] <= 1, f"{label}: done {landed[label]} times"
            assert outcome.source_id == label
        else:
            assert landed[label] == 0, f"{label}: {outcome!r} told, yet done"
    total = 1000 + sum(amount for n, (amount, _) in enumerate(amounts) if landed[f"update-{n}"])
    assert fake.vouchers["CARD"]["gift"]["balance"] == total

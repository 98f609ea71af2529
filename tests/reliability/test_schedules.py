"""Random schedules of writes behind a gateway that delays, drops and lies: the books are right.

By default a few schedules; `HYPOTHESIS_PROFILE=thorough` runs a thousand of fifty writes each, or
as many as `SCHEDULES` says.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from attrs import field, mutable
from hypothesis import given, settings
from hypothesis import strategies as st

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, VoucherifyError
from voucherify_async.testing import FakeVoucherify

from ..backends import STACKS
from .conftest import MovingClock, policy
from .faults import DISCOUNT, balance
from .proxy import Fate, Kind, Parcel, Proxy, proxied

IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
SCHEDULES = int(os.environ.get("SCHEDULES", "1000")) if IS_THOROUGH else 4
WRITES = 50 if IS_THOROUGH else 20
LONG = 186
HANG_SECONDS = 120

NAMES = ("update", "confirmed", "create", "import")
KINDS: tuple[Kind, ...] = (
    "pass",
    "late",
    "drop",
    "lose",
    "head",
    "body",
    "503",
    "refused",
    "other",
    "html",
    "429",
    "400",
)
WRITE = st.tuples(
    st.sampled_from(NAMES),
    st.integers(-20, 40).filter(bool),
    st.lists(st.tuples(st.sampled_from(KINDS), st.floats(0, 60)), min_size=1, max_size=3),
)


@mutable
class Told:
    """One write of a schedule, and what was told of it."""

    name: str
    amount: int
    label: str
    fates: list[Fate]
    result: Any = None
    error: VoucherifyError | None = None
    statuses: list[str] = field(factory=list)
    """What settling told, each time it was asked."""

    async def send(self, client: AsyncVoucherify) -> None:
        """Send it, and settle it at once where its outcome is unknown."""
        try:
            self.result = await self._send(client)
        except VoucherifyError as error:
            self.error = error
            if isinstance(error, AmbiguousOutcomeError):
                await self.settle(client)

    async def _send(self, client: AsyncVoucherify) -> Any:
        vouchers, label = client.vouchers, self.label
        if self.name == "create":
            gift = {"type": "GIFT_VOUCHER", "gift": {"amount": abs(self.amount)}}
            return await vouchers.create(label, gift)
        if self.name == "import":
            return await client.imports.vouchers([{"code": label, **DISCOUNT}])
        confirm = self.name == "confirmed"
        return await vouchers.update_balance("CARD", self.amount, source_id=label, confirm=confirm)

    async def settle(self, client: AsyncVoucherify) -> str:
        """Ask what became of it, with the error as it comes out of a queue."""
        assert isinstance(self.error, AmbiguousOutcomeError)
        error = AmbiguousOutcomeError.from_dict(json.loads(json.dumps(self.error.to_dict())))
        status = (await client.settle(error)).status
        self.statuses.append(status)
        return status

    def check(self, times: int) -> None:
        """Hold what was told against how often it was done."""
        assert times <= 1, "done twice"
        if self.error is None:
            assert times == 1, "told as done, and was not"
        elif not isinstance(self.error, AmbiguousOutcomeError):
            assert times == 0, "told as refused, and was done"
        else:
            assert self.statuses[-1] == ("done" if times else "not_done")
            assert ("not_done" if times else "done") not in self.statuses

    def told_done(self) -> bool:
        """Whether it was told, at once or later, that it was done."""
        return self.error is None or self.statuses[-1:] == ["done"]


def gateway(writes: list[Told], seed: int) -> Callable[[Parcel], Fate]:
    """Each write meets its own fates in turn, and passes when they are used up; reads fail too."""
    chance = random.Random(seed)
    fates = {write.label: iter(write.fates) for write in writes}

    def fate(parcel: Parcel) -> Fate:
        if parcel.method == "GET":
            return Fate(chance.choice(("pass",) * 12 + ("drop", "503", "lose", "other", "429")))
        return next(fates[parcel.label], Fate())

    return fate


async def run(stack: str, writes: list[Told], seed: int) -> None:
    """Carry out a schedule, and hold the books against what was told."""
    clock = MovingClock()
    fake = FakeVoucherify(now=clock.now)
    fake.polls_until_done = 0
    fake.add_voucher(code="CARD", gift={"amount": 10_000})
    with anyio.fail_after(HANG_SECONDS):
        async with fake, proxied(fake, clock) as proxy:
            proxy.fate = gateway(writes, seed)
            client = AsyncVoucherify(
                proxy.fake.app_id,
                proxy.fake.app_token,
                base_url=proxy.url,
                clock=clock,
                retry=policy(),
                max_concurrency=5,
                http_backend=stack,  # type: ignore[arg-type]
            )
            async with client:
                async with anyio.create_task_group() as group:
                    for write in writes:
                        group.start_soon(write.send, client)
                await settle_all(client, proxy, clock, writes)
    for write in writes:
        write.check(proxy.times(write.label))
    done = [w.amount for w in writes if w.name in {"update", "confirmed"} and w.told_done()]
    assert balance(fake) == 10_000 + sum(done)


async def settle_all(
    client: AsyncVoucherify, proxy: Proxy, clock: MovingClock, writes: list[Told]
) -> None:
    """When all has been delivered and enough time has passed, every outcome can be told."""
    proxy.fate = lambda _: Fate()
    while proxy.under_way:
        await clock.sleep(1)
    clock.move(LONG)
    for write in writes:
        if isinstance(write.error, AmbiguousOutcomeError):
            await write.settle(client)


@pytest.mark.sampled(ways=1)
@pytest.mark.parametrize(("loop", "stack"), STACKS)
@settings(max_examples=SCHEDULES, deadline=None, print_blob=True)
@given(schedule=st.lists(WRITE, min_size=WRITES, max_size=WRITES), seed=st.integers(0, 2**32))
def test_the_books_are_what_was_told(
    loop: str, stack: str, schedule: list[tuple[str, int, list[tuple[Kind, float]]]], seed: int
) -> None:
    """Nothing is done twice or told wrong, every outcome can be settled, and nothing hangs."""
    writes = [
        Told(name, amount, f"W{number}", [Fate(*fate) for fate in fates])
        for number, (name, amount, fates) in enumerate(schedule)
    ]
    anyio.run(run, stack, writes, seed, backend=loop)

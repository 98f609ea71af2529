"""Whatever other processes import at that moment, an import tells the truth of its own codes."""

from __future__ import annotations

import anyio
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from voucherify_async import ImportInterruptedError
from voucherify_async.testing import FakeVoucherify

from .test_import_recovery import Eventful, add_old, gifts, posts

CODES = st.lists(st.sampled_from([f"G-{n}" for n in range(7)]), unique=True, max_size=5)
OURS, THEIRS = 100, 7


@settings(max_examples=40, deadline=None)
@given(
    ours=CODES.filter(bool),
    old=CODES,
    before=CODES,
    after=CODES,
    lost=st.sampled_from(["lose_answer", "reset", "reset_after_headers"]),
)
def test_what_is_told_is_true(
    ours: list[str], old: list[str], before: list[str], after: list[str], lost: str
) -> None:
    """Each code of ours that is told as done is ours, each other one is told as refused, and what
    was accepted is not sent again; where that cannot be told, nothing is told.
    """
    # Others that import all of our codes leave nothing by which they could be told from us.
    assume(set(ours) - set(before) - set(after))
    clock = Eventful()
    fake = FakeVoucherify(page_size=100, now=clock.now)
    add_old(fake, clock, old)

    async def main() -> None:
        async with fake:
            other = fake.client()

            async def interfere() -> None:
                if after:
                    await other.imports.vouchers(gifts(after, THEIRS))

            if before:
                await other.imports.vouchers(gifts(before, THEIRS))
            count = len(posts(fake))
            getattr(fake.faults, lost)(method="POST")
            clock.due.append((0.1, interfere))
            stream = fake.client(clock=clock).imports.stream(gifts(ours, OURS))
            try:
                report = await stream
            except ImportInterruptedError:
                assert stream.report.unknown == range(len(ours))
                assert stream.report.done_count == 0
                assert len(posts(fake)) == count + 1 + bool(after)
                return
        written = {code for code, each in fake.vouchers.items() if worth(each) == OURS}
        assert report.done_count == len(written)
        assert {each.code for each in report.failures} == set(ours) - written
        sent = len(posts(fake)) - count - bool(after)
        assert sent == (2 if lost == "reset" else 1)

    anyio.run(main)


def worth(voucher: dict[str, object]) -> object:
    """What a gift card is worth."""
    gift = voucher["gift"]
    return gift["amount"] if isinstance(gift, dict) else None

"""The main job from start to end, on real sockets against the embedded server."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import anyio
from attrs import evolve

from .._unset import UNSET
from ..client import AsyncVoucherify
from ..models import (
    AmountDiscount,
    Discount,
    DiscountedUnit,
    DiscountVoucherImport,
    FixedDiscount,
    Gift,
    GiftVoucherCreate,
    GiftVoucherImport,
    ImportedRedemption,
    MultipleUnitDiscount,
    PercentDiscount,
    UnitDiscount,
    Voucher,
    VoucherImport,
)

LOOKUPS: Final = 1_000
CARD: Final = "GIFT-CARD-100"
Say = Callable[[str], None]

_PHONE = "prod_0a9f9aeddb019a42db"
_DISCOUNTS: Final[dict[str, Discount]] = {
    "PROMO-CODE30OFF-NO-EFFECT": AmountDiscount(amount_off=3000),
    "PROMO-CODE30-PERCENT-NO-EFFECT": PercentDiscount(percent_off=30),
    "PROMO-CODE1-PERCENT-EFFECT-ORDER": PercentDiscount(percent_off=30, effect="APPLY_TO_ORDER"),
    "PROMO-CODE2-PERCENT-EFFECT-ITEM": PercentDiscount(percent_off=30, effect="APPLY_TO_ITEMS"),
    "PROMO-CODE1-PERCENT-NO-EFFECT-REDEEMED-QUANTITY-ATTRIBUTE-DOESNT-GET-PASSED": (
        PercentDiscount(percent_off=30)
    ),
    "PROMO-CODE1-AMOUNT-EFFECT-ITEMS-PROPORTIONALLY": AmountDiscount(
        amount_off=30, effect="APPLY_TO_ITEMS_PROPORTIONALLY"
    ),
    "PROMO-CODE1-FIXED-EFFECT-ORDER": FixedDiscount(fixed_amount=30, effect="APPLY_TO_ORDER"),
    "PROMO-CODE1-UNIT-SINGLE-ITEM-EFFECT-MISSING": UnitDiscount(
        unit_off=1, unit_type=_PHONE, effect="ADD_MISSING_ITEMS"
    ),
    "PROMO-CODE2-UNIT-MULTIPLE-ITEMS": MultipleUnitDiscount(
        units=[
            DiscountedUnit(unit_off=1, unit_type=_PHONE, effect="ADD_MISSING_ITEMS"),
            DiscountedUnit(unit_off=1, unit_type=_PHONE, effect="ADD_NEW_ITEMS"),
        ]
    ),
    "PROMO-CODE1-SHIPPING": UnitDiscount(
        unit_off=1, unit_type="prod_5h1pp1ng", effect="ADD_MISSING_ITEMS"
    ),
}


def vouchers_to_import() -> list[VoucherImport]:
    """The 11 vouchers of the API's own import example: every kind of discount, and a gift card."""
    card = GiftVoucherImport(
        code=CARD,
        gift=Gift(amount=10_000),
        active=True,
        category="new customer acquisition",
        start_date="2020-12-10T23:00:00Z",
        expiration_date="2023-12-31T23:00:00Z",
        redemption=ImportedRedemption(quantity=5),
        metadata={"unit": "EUR"},
        additional_info="secret-GIFT-code2",
    )
    first, second, *others = (
        DiscountVoucherImport(
            code=code,
            discount=discount,
            active=code == "PROMO-CODE2-UNIT-MULTIPLE-ITEMS",
            start_date="2020-12-10T23:00:00Z",
            expiration_date="2023-12-31T23:00:00Z",
            redemption=ImportedRedemption(
                quantity=1, redeemed_quantity=1 if "REDEEMED-QUANTITY" in code else UNSET
            ),
            metadata={"unit": "EUR"},
            additional_info="secret-code2",
        )
        for code, discount in _DISCOUNTS.items()
    )
    first = evolve(
        first,
        active=True,
        category="new customer acquisition",
        start_date="2020-12-01T23:00:00Z",
        expiration_date="2023-12-19T23:00:00Z",
        additional_info="secret-code1",
    )
    return [first, second, card, *others]


def run(say: Say = print, folder: Path | None = None) -> None:
    """Serve the embedded server on a loopback port, and run the main job against it.

    Credentials and addresses of the environment are not looked at: no real account is touched.

    Args:
        say: What takes each line of the report.
        folder: Where the export is written; by default a temporary folder.
    """
    from . import FakeVoucherify

    fake = FakeVoucherify(app_id="demo-app-id", app_token="demo-app-token", record=False)  # noqa: S106
    fake.add_vouchers({"code": f"DEMO-{number:04}"} for number in range(LOOKUPS))
    with fake.serve() as url, tempfile.TemporaryDirectory() as temporary:
        say(f"Embedded Voucherify at {url}")
        anyio.run(_main_job, url, folder or Path(temporary), say)


async def _main_job(url: str, folder: Path, say: Say) -> None:
    async with AsyncVoucherify(
        app_id="demo-app-id",
        app_token="demo-app-token",  # noqa: S106
        base_url=url,
    ) as client:
        await _import(client, say)
        await _look_up(client, say)
        await _walk(client, say)
        await _move_money(client, folder, say)
        await _check_out(client, say)


async def _import(client: AsyncVoucherify, say: Say) -> None:
    items = vouchers_to_import()
    with _timed(say, f"import of {len(items)} vouchers"):
        job = await client.imports.vouchers(items)
        action = await job.wait(
            timeout=30, on_progress=lambda a: say(f"  {a.id} {a.status} {a.progress or 0}%")
        )
    result = action.result
    if result is not None:
        say(f"  {result.done_count} imported, {result.failed_count} refused")


async def _look_up(client: AsyncVoucherify, say: Say) -> None:
    codes = [f"DEMO-{number:04}" for number in range(LOOKUPS)]
    found: list[Voucher] = []

    async def look_up(code: str) -> None:
        found.append(await client.vouchers.get(code))

    with _timed(say, f"{len(codes):,} lookups at once", count=len(codes)):
        async with anyio.create_task_group() as group:
            for code in codes:
                group.start_soon(look_up, code)
    say(f"  {len({voucher.code for voucher in found}):,} vouchers found")


async def _walk(client: AsyncVoucherify, say: Say) -> None:
    kinds: dict[str, int] = {}
    with _timed(say, "walk of the listing, 100 a page"):
        async for voucher in client.vouchers.list(order="code"):
            kind = voucher.type or "unknown"
            kinds[kind] = kinds.get(kind, 0) + 1
    say("  " + ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())))


async def _move_money(client: AsyncVoucherify, folder: Path, say: Say) -> None:
    with _timed(say, f"credit and debit of {CARD}"):
        credited = await client.vouchers.update_balance(CARD, 2_550, reason="goodwill")
        debited = await client.vouchers.update_balance(CARD, -1_000, reason="correction")
    say(f"  balance {_money(credited.balance)}, then {_money(debited.balance)}")
    async for transaction in client.transactions.list(CARD):
        balance = transaction.details.balance if transaction.details else None
        if balance is not None:
            change, left = _money(balance.amount), _money(balance.balance)
            say(f"  {transaction.type:<18} {change:>8}  balance {left:>8}  {transaction.reason}")
    with _timed(say, "export of the transactions"):
        job = await client.transactions.export(CARD)
        path = await job.download(folder / "transactions.csv", timeout=30)
    text = await anyio.Path(path).read_text()
    say(f"  {path.name}: {len(text.splitlines()) - 1} rows, {len(text)} bytes")


async def _check_out(client: AsyncVoucherify, say: Say) -> None:
    code = "GIFT-CARD-200"
    await client.vouchers.create(code, GiftVoucherCreate(gift=Gift(amount=20_000)))
    with _timed(say, f"an order of 50.00, paid with {code}"):
        paid = await client.redemptions.redeem(
            redeemables=[code], order={"amount": 5_000, "source_id": "order-1"}, confirm=True
        )
    redemption = next(iter(paid.redemptions or ()))
    left = redemption.voucher.gift if redemption.voucher else None
    total = _money(paid.order.total_amount) if paid.order else "?"
    say(f"  {redemption.id}: {total} left to pay, {_money(left.balance if left else None)} on it")
    with _timed(say, "its rollback"):
        undone = await client.redemptions.rollback(
            redemption.id or "", reason="returned", confirm=True
        )
    card = await client.vouchers.get(code)
    say(f"  {undone.id}: {_money(card.gift.balance if card.gift else None)} on it again")


@contextmanager
def _timed(say: Say, what: str, *, count: int = 0) -> Iterator[None]:
    started = time.perf_counter()
    yield
    elapsed = time.perf_counter() - started
    rate = f" ({count / elapsed:,.0f} a second)" if count else ""
    say(f"{what}: {elapsed * 1000:,.0f} ms{rate}")


def _money(minor_units: float | None) -> str:
    return "?" if minor_units is None else f"{minor_units / 100:.2f}"

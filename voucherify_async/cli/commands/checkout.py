"""`validate`, `redeem`, `rollback` and `redemptions`: what a checkout does."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ... import AmbiguousOutcomeError, AsyncVoucherify, RefusalReason, RefusedError
from ...models import (
    Redemption,
    RedemptionEntry,
    RedemptionResult,
    StackRollback,
    ValidatedRedeemable,
    Validation,
)
from ..exits import INTERRUPTED, NEGATIVE, OK, UNKNOWN, CommandError, guarded
from ..instants import Instant, created_between
from ..output import Format, Raw, Writer, write_record
from ..progress import progress
from ..session import run
from ..table_columns import REDEEMABLES, REDEMPTIONS, redemption_record
from ..terminal import PROGRAM, ask, can_ask, say

Codes = Annotated[
    list[str], typer.Argument(metavar="CODE...", help="Voucher codes, in the order to apply them.")
]
Amount = Annotated[
    int, typer.Option(min=0, help="The order's amount, in minor currency units (1050 is 10.50).")
]
Customer = Annotated[str | None, typer.Option(help="The customer's id or source id.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]
Output = Annotated[Format, typer.Option("--output", help="How they are written.")]

_PAGE = 100
_DEFAULT_LIMIT = 100


@guarded
def validate(
    codes: Codes, *, amount: Amount, customer: Customer = None, output: Output = "table"
) -> int:
    """Ask what codes give for an order; it changes nothing. Exit code 1: not all of them apply."""

    async def look(client: AsyncVoucherify) -> Validation:
        return await client.validations.validate(
            redeemables=codes, order={"amount": amount}, customer=customer
        )

    found = run(look)
    others = (*found.inapplicable, *found.skipped)
    applied = [r for r in found.redeemables or () if r.status == "APPLICABLE"]
    writer: Writer[ValidatedRedeemable] = Writer(output, REDEEMABLES)
    for redeemable in (*applied, *others):
        writer.add(redeemable)
    writer.finish()
    if found.order is not None and applied:
        order = found.order
        say(f"{amount} becomes {order.total_amount}, {order.total_discount_amount} off")
    return OK if found.is_complete else NEGATIVE


@guarded
def redeem(
    codes: Codes,
    *,
    amount: Amount,
    order: Annotated[str, typer.Option(metavar="ID", help="Your id of the order.")],
    customer: Customer = None,
    yes: Yes = False,
) -> int:
    """Redeem codes for an order.

    On a terminal it asks first. It is never done twice: where the answer is lost, the order is
    searched for it, and exit code 4 says that it could not be found out.
    """
    if not yes and can_ask() and not ask(f"Redeem {', '.join(codes)} for {amount}?"):
        say("nothing was done")
        return NEGATIVE

    async def send(client: AsyncVoucherify) -> RedemptionResult:
        return await client.redemptions.redeem(
            redeemables=codes,
            order={"amount": amount, "source_id": order},
            customer=customer,
            confirm=True,
        )

    done = _written(send, ["redemptions", "--of-order", order])
    paid = done.order
    write_record(
        [
            ("order", order),
            ("amount", amount),
            ("discount", paid.total_discount_amount if paid else None),
            ("total", paid.total_amount if paid else None),
            ("redemption", _id_of(done)),
        ]
    )
    for redeemable in (*done.inapplicable, *done.skipped):
        say(f"{redeemable.id}: was not redeemed: {redeemable.reason or 'no reason was given'}")
    return OK if done.is_complete else NEGATIVE


def _id_of(done: RedemptionResult) -> str | None:
    """What to roll back."""
    whole = done.parent_redemption or next(iter(done.redemptions or ()), None)
    return whole.id if whole else None


@guarded
def rollback(
    id: Annotated[  # noqa: A002
        str, typer.Argument(metavar="ID", help="The redemption's id, as `redeem` shows it.")
    ],
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    yes: Yes = False,
) -> int:
    """Take a redemption back; on a terminal it asks first, and it is never done twice."""
    if not yes and can_ask() and not ask(f"Roll {id} back?"):
        say("nothing was done")
        return NEGATIVE

    async def send(client: AsyncVoucherify) -> StackRollback:
        return await client.redemptions.rollback_stack(id, reason=reason, confirm=True)

    done = _written(send, ["redemptions", "--of", id])
    parent = done.parent_rollback or next(iter(done.rollbacks or ()), None)
    write_record([("redemption", id), ("rollback", parent.id if parent else None)])
    return OK if done.is_complete else NEGATIVE


def _written(send: Any, find_out: Sequence[str]) -> Any:
    """Do what cannot be done twice, and say how to find out what became of it."""
    advice = f"find out with: {shlex.join([PROGRAM, *find_out])}"
    try:
        return run(send)
    except RefusedError as error:
        told = "; ".join(_told(reason) for reason in error.reasons) or str(error)
        raise CommandError(f"refused: {told}", NEGATIVE) from error
    except AmbiguousOutcomeError as error:
        what = str(error).removesuffix(error.how_to_check).rstrip(". ")
        raise CommandError(f"{what}; before you do it again, {advice}", UNKNOWN) from error
    except KeyboardInterrupt:
        raise CommandError(
            f"interrupted; it may or may not have been done; {advice}", INTERRUPTED
        ) from None


def _told(reason: RefusalReason) -> str:
    said = dict.fromkeys(filter(None, (reason.key, reason.message, reason.details)))
    return ": ".join(said) or "no reason was given"


@guarded
def redemptions(
    *,
    result: Annotated[str | None, typer.Option(help="SUCCESS or FAILURE.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Only those of this campaign.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only those of this customer's id.")] = None,
    of_order: Annotated[
        str | None, typer.Option(metavar="ID", help="Only those of this order.")
    ] = None,
    of: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this redemption, and its rollbacks.")
    ] = None,
    created_after: Instant = None,
    created_before: Instant = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = _DEFAULT_LIMIT,
    all_: Annotated[bool, typer.Option("--all", help="All of them, oldest first.")] = False,
    output: Output = "table",
    raw: Raw = False,
) -> int:
    """List redemptions and rollbacks, the newest first."""
    filters: dict[str, Any] = {
        "result": result,
        "campaign": campaign,
        "customer": customer,
        "created_at": created_between(created_after, created_before),
    }
    writer: Writer[Any] = Writer(
        output, REDEMPTIONS, redemption_record if of is not None else None, raw=raw
    )

    async def walk(client: AsyncVoucherify) -> int:
        if all_:
            listing = client.redemptions.list_all(**filters)
        else:
            page = min(limit + 1, _PAGE)
            order: Any = "-created_at"
            listing = client.redemptions.list(
                **filters, order=order, limit=page, max_items=limit + 1
            )
        count = 0
        with progress("listing", shown=not writer.is_streaming) as bar:
            async for entry in listing:
                if not all_ and count == limit:
                    say(f"only {count:,} are listed; --limit N lists more, --all lists all")
                    break
                count += 1
                writer.add(entry)
                bar.update(count)
        return count

    async def related(client: AsyncVoucherify) -> int:
        entries = await _related(client, of_order, of)
        for entry in entries:
            writer.add(entry)
        return len(entries)

    count = run(walk if of_order is None and of is None else related)
    writer.finish()
    if not count:
        say("there are no such redemptions")
    return OK if count else NEGATIVE


async def _related(
    client: AsyncVoucherify, order_id: str | None, redemption_id: str | None
) -> list[RedemptionEntry]:
    """The redemptions of an order, or one redemption, each with its rollbacks."""
    ids = [] if redemption_id is None else [redemption_id]
    if order_id is not None:
        ids += list((await client.orders.get(order_id)).redemptions or ())
    found: list[RedemptionEntry] = []
    for id_ in ids:
        entry = await client.redemptions.get(id_)
        found.append(entry)
        related = entry.related_redemptions if isinstance(entry, Redemption) else None
        for rollback_ in (related.rollbacks if related else None) or ():
            found.append(await client.redemptions.get(rollback_.id or ""))
    return found

"""`balance`, `transactions` and `export transactions`: gift cards and loyalty cards."""

from __future__ import annotations

import re
import shlex
import tempfile
import uuid
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from ...client import AsyncVoucherify
from ...errors import AmbiguousOutcomeError
from ...models import BalanceUpdate, TransactionOrder, Voucher
from ..exits import INTERRUPTED, NEGATIVE, OK, UNKNOWN, USAGE, CommandError, guarded
from ..output import Format, Raw, Writer, copy_to_stdout, write_record
from ..progress import progress
from ..session import run
from ..table_columns import TRANSACTIONS, transaction_record, worth
from ..terminal import PROGRAM, ask, can_ask, say

Code = Annotated[str, typer.Argument(metavar="CODE", help="The card's code.")]

_AMOUNT: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DEFAULT_LIMIT = 100
_PAGE = 100


@guarded
def balance(
    code: Code,
    amount: Annotated[
        str,
        typer.Argument(
            metavar="AMOUNT",
            help="What to add: a whole number of minor currency units (1050 is 10.50) or of "
            "points; below zero (-500) takes away.",
        ),
    ],
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for the card's history.")] = None,
    source_id: Annotated[
        str | None, typer.Option(help="A label to find it by; by default a random one.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
) -> int:
    """Add to the balance of a card, or take from it.

    On a terminal it asks first. It is never done twice: where the answer is lost, the card's
    history is searched for it, and exit code 4 says that it could not be found out.
    """
    change = _whole(amount)
    if not yes and can_ask() and not _agreed(code, change):
        say("nothing was done")
        return NEGATIVE
    label = source_id or str(uuid.uuid4())

    async def update(client: AsyncVoucherify) -> BalanceUpdate:
        return await client.vouchers.update_balance(
            code, change, source_id=label, reason=reason, confirm=True
        )

    lookup = shlex.join([PROGRAM, "transactions", "--source-id", label, "--", code])
    find_out = f"find out with: {lookup}"
    try:
        updated = run(update)
    except AmbiguousOutcomeError as error:
        what = str(error).removesuffix(error.how_to_check).rstrip(". ")
        raise CommandError(f"{what}; before you do it again, {find_out}", UNKNOWN) from error
    except KeyboardInterrupt:
        raise CommandError(
            f"interrupted; the balance may or may not have been changed; {find_out}", INTERRUPTED
        ) from None
    write_record(
        [
            ("code", code),
            ("amount", change),
            ("balance", updated.balance),
            ("total", updated.total),
            ("source_id", label),
        ]
    )
    return OK


def _whole(amount: str) -> int:
    if not _AMOUNT.fullmatch(amount) or int(amount) == 0:
        raise CommandError(
            f"AMOUNT: expected a whole number of minor currency units other than 0 (1050 for "
            f"10.50), got {amount!r}",
            USAGE,
        )
    return int(amount)


def _agreed(code: str, change: int) -> bool:
    async def look(client: AsyncVoucherify) -> Voucher:
        return await client.vouchers.get(code)

    held = worth(run(look))
    what = f"add {change}" if change > 0 else f"take {-change}"
    return ask(f"{code} holds {held}. Shall I {what}?")


@guarded
def transactions(
    code: Code,
    *,
    source_id: Annotated[
        str | None, typer.Option(help="Only the newest with this label; exit code 1 without one.")
    ] = None,
    order: Annotated[
        TransactionOrder, typer.Option(help="id is oldest first, -id is newest first.")
    ] = "-id",
    limit: Annotated[
        int, typer.Option("--limit", "--max", min=1, help="How many at the most.")
    ] = _DEFAULT_LIMIT,
    all_: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    output: Annotated[Format, typer.Option("--output", help="How they are written.")] = "table",
    raw: Raw = False,
) -> int:
    """List the transactions of a card, the newest first."""
    writer = Writer(output, TRANSACTIONS, transaction_record if source_id else None, raw=raw)
    most = None if all_ else limit

    async def find(client: AsyncVoucherify) -> int:
        with progress("searching"):
            found = await client.transactions.find(code, source_id=source_id or "")
        if found is None:
            say(f"{code}: has no transaction with the source_id {source_id}")
            return NEGATIVE
        writer.add(found)
        return OK

    async def walk(client: AsyncVoucherify) -> int:
        # One more than wanted, which tells whether there are more.
        asked = None if most is None else most + 1
        listing = client.transactions.list(
            code, order=order, limit=min(asked or _PAGE, _PAGE), max_items=asked
        )
        count = 0
        with progress("listing", shown=not writer.is_streaming) as bar:
            async for transaction in listing:
                if count == most:
                    say(f"only {count:,} are listed; --limit N lists more, --all lists all")
                    break
                count += 1
                writer.add(transaction)
                bar.update(count)
        if not count:
            say(f"{code}: has no transactions")
        return OK

    ended = run(walk if source_id is None else find)
    writer.finish()
    return ended


@guarded
def export_transactions(
    code: Code,
    *,
    to: Annotated[
        Path | None,
        typer.Option("-o", "--to", metavar="FILE", help="Where to write it; by default to stdout."),
    ] = None,
    raw: Raw = False,
) -> int:
    """Export the transactions of a card as CSV."""
    if to is not None and not to.absolute().parent.is_dir():
        raise CommandError(f"{to.absolute().parent}: is not a folder", USAGE)

    async def export(client: AsyncVoucherify, target: Path) -> None:
        with progress("exporting"):
            job = await client.transactions.export(code)
            await job.download(target, escape=not raw)

    try:
        with tempfile.TemporaryDirectory() as folder:
            target = to or Path(folder, "transactions.csv")
            run(partial(export, target=target))
            if to is None:
                copy_to_stdout(target)
    except KeyboardInterrupt:
        nothing = "" if to is None else f"; {to} was not written"
        raise CommandError(f"interrupted{nothing}; run it again", INTERRUPTED) from None
    if to is not None:
        say(f"wrote {to}")
    return OK

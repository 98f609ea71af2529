"""`get` and `list`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import typer

from ... import VoucherLookup
from ...client import AsyncVoucherify
from ...errors import PaginationLimitError
from ...models import Voucher, VoucherOrder
from ...pagination import AsyncPaginator
from ..exits import OK, USAGE, CommandError, explain, guarded, is_missing
from ..instants import Instant, created_between
from ..output import Format, Raw
from ..progress import Bar, progress
from ..session import run
from ..terminal import say
from ..voucher_output import VoucherWriter

Output = Annotated[
    Format,
    typer.Option("--output", help="How it is written; csv is a file that `import` takes."),
]

_DEFAULT_LIMIT = 100
_PAGE = 100
_MANY = 20


@guarded
def get(
    codes: Annotated[
        list[str], typer.Argument(metavar="CODE...", help="Codes or ids; - reads them from stdin.")
    ],
    *,
    output: Output = "table",
    raw: Raw = False,
) -> int:
    """Look vouchers up, any number at once; exit code 1 where one does not exist."""
    wanted = list(dict.fromkeys(_with_stdin(codes)))
    writer = VoucherWriter(output, single=len(wanted) == 1, raw=raw)
    return run(lambda client: _get(client, wanted, writer)) if wanted else OK


def _with_stdin(codes: Sequence[str]) -> Sequence[str]:
    if "-" not in codes:
        return codes
    given = [line.strip() for line in sys.stdin]
    return [code for code in codes if code != "-"] + [code for code in given if code]


async def _get(client: AsyncVoucherify, codes: Sequence[str], writer: VoucherWriter) -> int:
    lookups = _Lookups(client, codes)
    shown = len(codes) > _MANY and not writer.is_streaming
    with progress("looking up", len(codes), shown=shown) as bar:
        await writer.collect(lookups.found(bar))
    code = max(writer.finish(), lookups.code)
    for failure in lookups.failures:
        say(failure)
    return code


class _Lookups:
    """Lookups of which those that fail are told at the end."""

    def __init__(self, client: AsyncVoucherify, codes: Sequence[str]) -> None:
        self.code = OK
        self.failures: list[str] = []
        self._client = client
        self._codes = codes

    async def found(self, bar: Bar) -> AsyncIterator[Voucher]:
        """The vouchers in the order of their codes, though they come in any."""
        waiting: dict[str, VoucherLookup] = {}
        done = 0
        lookups = aiter(self._client.vouchers.get_many(self._codes))
        for code in self._codes:
            while code not in waiting:
                lookup = await anext(lookups)
                waiting[lookup.code] = lookup
                done += 1
                bar.update(done)
            voucher = self._checked(waiting.pop(code))
            if voucher is not None:
                yield voucher

    def _checked(self, lookup: VoucherLookup) -> Voucher | None:
        if lookup.error is not None:
            explained = explain(lookup.error)
            reason = "does not exist" if is_missing(lookup.error) else str(explained)
            self.code = max(self.code, explained.code)
            self.failures.append(f"{lookup.code}: {reason}")
            return None
        return lookup.voucher


@guarded
def list_(
    *,
    category: Annotated[str | None, typer.Option(help="Only those of this category.")] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Only those of the campaign of this name.")
    ] = None,
    campaign_id: Annotated[
        str | None, typer.Option(help="Only those of the campaign with this id.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option(help="Only those of the customer with this id.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="Only the one with this code.")] = None,
    created_after: Instant = None,
    created_before: Instant = None,
    order: Annotated[
        VoucherOrder | None, typer.Option(help="What to sort by; - is downwards.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "--max", min=1, help="How many at the most; without --all by default 100."
        ),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every voucher, oldest first, past the API's 9,900 too.")
    ] = False,
    output: Output = "table",
    raw: Raw = False,
) -> int:
    """List vouchers, 100 of them unless --limit or --all says otherwise."""
    if all_ and order is not None:
        raise CommandError("--order: --all lists the oldest first, and cannot sort", USAGE)
    filters: dict[str, Any] = {
        "category": category,
        "campaign": campaign,
        "campaign_id": campaign_id,
        "customer": customer,
        "code": code,
        "created_at": created_between(created_after, created_before),
    }
    if not all_:
        limit = limit or _DEFAULT_LIMIT
        filters["order"] = order

    def listing(client: AsyncVoucherify) -> AsyncPaginator[Voucher]:
        make = client.vouchers.list_all if all_ else client.vouchers.list
        return make(**filters, limit=min(limit or _PAGE, _PAGE), max_items=limit)

    writer = VoucherWriter(output, raw=raw)
    return run(lambda client: _list(listing(client), limit, writer))


async def _list(listing: AsyncPaginator[Voucher], limit: int | None, writer: VoucherWriter) -> int:
    walk = _Walk(listing, limit)
    with progress("listing", shown=not writer.is_streaming) as bar:
        try:
            await writer.collect(walk.vouchers(bar))
        except PaginationLimitError as error:
            raise CommandError(
                f"the API lists {walk.count:,} at the most, and there are more; add --all", USAGE
            ) from error
    code = writer.finish()
    if not walk.count:
        say("no vouchers match")
    if limit is not None and walk.count >= limit and (walk.total or 0) > walk.count:
        say(f"{walk.count:,} of {walk.total:,} vouchers; --limit N lists more, --all lists all")
    return code


class _Walk:
    """A walk over a listing that knows how far it is."""

    def __init__(self, listing: AsyncPaginator[Voucher], limit: int | None) -> None:
        self.count = 0
        self.total: int | None = None
        self._listing = listing
        self._limit = limit

    async def vouchers(self, bar: Bar) -> AsyncIterator[Voucher]:
        """The vouchers, as many as are wanted."""
        async for page in self._listing.pages():
            if self.total is None:
                # The first page's is that of the whole listing.
                self.total = page.total
            for voucher in page:
                if self.count == self._limit:
                    return
                self.count += 1
                yield voucher
            bar.update(self.count, _least(self.total, self._limit))


def _least(total: int | None, limit: int | None) -> int | None:
    known = [number for number in (total, limit) if number is not None]
    return min(known) if total is not None else None

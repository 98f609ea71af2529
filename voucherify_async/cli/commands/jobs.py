"""`jobs`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Annotated

import typer

from ...client import AsyncVoucherify
from ...models import AsyncAction
from ..exits import INTERRUPTED, NEGATIVE, OK, USAGE, CommandError, guarded
from ..output import Format, Raw, Writer, write_lines
from ..progress import progress
from ..session import run
from ..table_columns import JOBS, job_record
from ..terminal import PROGRAM, say

_DEFAULT_LIMIT = 20
_PAGE = 100


@guarded
def jobs(
    job_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One job, with its result.")
    ] = None,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", "--max", min=1, help="How many to list at the most.")
    ] = _DEFAULT_LIMIT,
    output: Annotated[Format, typer.Option("--output", help="How it is written.")] = "table",
    raw: Raw = False,
) -> int:
    """List background jobs, the newest first, or look at one; exit code 1 where it has failures."""
    if job_id is None:
        if wait:
            raise CommandError("--wait: names no job; give its ID", USAGE)
        return run(lambda client: _list(client, limit, Writer(output, JOBS, raw=raw)))
    try:
        action = run(lambda client: _look(client, job_id, wait=wait))
    except KeyboardInterrupt:
        again = shlex.join([PROGRAM, "jobs", "--wait", "--", job_id])
        raise CommandError(
            f"interrupted; the job goes on at Voucherify; wait again with: {again}", INTERRUPTED
        ) from None
    writer = Writer(output, JOBS, job_record, raw=raw)
    writer.add(action)
    if output == "table":
        write_lines(list(_failures(action)))
    writer.finish()
    return NEGATIVE if action.has_failures else OK


async def _list(client: AsyncVoucherify, limit: int, writer: Writer[AsyncAction]) -> int:
    with progress("listing", shown=not writer.is_streaming):
        count = await writer.add_all(
            client.async_actions.list(limit=min(limit, _PAGE), max_items=limit)
        )
    writer.finish()
    if not count:
        say("there are no jobs")
    return OK


async def _look(client: AsyncVoucherify, job_id: str, *, wait: bool) -> AsyncAction:
    if not wait:
        return await client.async_actions.get(job_id)
    with progress("waiting", 100) as bar:
        return await client.async_actions.wait(
            job_id,
            on_progress=lambda action: bar.update(action.progress or 0, note=action.status or ""),
        )


def _failures(action: AsyncAction) -> Iterator[str]:
    result = action.result
    if result is None:
        return
    for failure in result.failed or ():
        yield f"{failure.code or failure.source_id or failure.row}: {failure.reason}"
    for error in result.errors or ():
        yield f"{error.code or error.source_id}: {error.details or error.message}"
    for item in result.results or ():
        if item.has_failed:
            reason = "was not changed" if item.found else "does not exist"
            yield f"{item.code or item.source_id}: {reason}"

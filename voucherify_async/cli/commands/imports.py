"""`import`."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
import orjson
import typer

from ... import (
    AsyncVoucherify,
    ImportFailure,
    ImportInterruptedError,
    ImportReport,
    ImportStream,
    to_dict,
)
from ..exits import FAILED, INTERRUPTED, NEGATIVE, OK, UNKNOWN, explain, guarded
from ..import_files import ImportFile
from ..output import write_lines, write_record
from ..progress import Bar, progress
from ..resuming import Resumption
from ..session import run
from ..terminal import printable_json, say


@guarded
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="*.csv with the columns of Voucherify's import, or *.jsonl with an object a line.",
        ),
    ],
    *,
    campaign: Annotated[
        str | None, typer.Option(metavar="ID", help="The campaign to import into: its id or name.")
    ] = None,
    resume_from: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE",
            help="Where an import was interrupted: the file that it left, or how many items to "
            "pass over.",
        ),
    ] = None,
    output: Annotated[
        Literal["text", "json"], typer.Option("--output", help="How the report is written.")
    ] = "text",
) -> int:
    """Import vouchers from a file of any size; exit code 1 where one was not imported.

    The whole file is checked before anything is sent. Until the import has ended, FILE.resume.json
    says how to go on, however it is interrupted.
    """
    source = ImportFile(file)
    resumption = Resumption(source, campaign, resume_from)
    importing = _Importing(source, campaign, resumption)
    code = OK
    try:
        report = run(importing.work)
    except KeyboardInterrupt:
        if importing.stream is None:
            raise
        report, code = importing.stream.report, INTERRUPTED
        say("interrupted")
    except ImportInterruptedError as error:
        cause = explain(error.__cause__ or error)
        say(str(cause))
        report, code = error.report, UNKNOWN if error.report.unknown else cause.code
    _write(report, source, output)
    if report.resume_from is None:
        resumption.forget()
        return code or (NEGATIVE if report.failures or report.duplicates else OK)
    if not (report.accepted or report.unknown):
        resumption.forget()
        say("nothing was imported")
    else:
        say(f"go on with: {resumption.command()}")
    return code or FAILED


class _Importing:
    """An import under way, whose stream outlives a Ctrl-C."""

    def __init__(self, source: ImportFile, campaign: str | None, start: Resumption) -> None:
        self.stream: ImportStream | None = None
        self._source = source
        self._campaign = campaign
        self._start = start

    async def work(self, client: AsyncVoucherify) -> ImportReport:
        """Import the file."""
        with progress("importing", self._source.count) as bar:

            async def tell(report: ImportReport) -> None:
                # Kept first: from here on the process may be killed at any instant.
                await self._start.save(report)
                _show(bar, report)

            self.stream = client.imports.stream(
                self._source,
                on_progress=tell,
                campaign_id=self._campaign,
                resume_from=self._start.point,
            )
            try:
                return await self.stream
            finally:
                # Where it cannot be written, what stands there is true still: it tells less.
                with anyio.CancelScope(shield=True), suppress(OSError):
                    await self._start.save(self.stream.report)


def _show(bar: Bar, report: ImportReport) -> None:
    is_open = sum(job.stop - job.start for job in report.open_jobs)
    note = f"{report.failed_count + len(report.duplicates):,} refused"
    if report.open_jobs:
        note += f", {len(report.open_jobs)} jobs under way"
    bar.update(len(report.accepted) - is_open, note=note)


def _write(report: ImportReport, source: ImportFile, output: str) -> None:
    if output == "json":
        written = orjson.dumps(_as_json(report, source), option=orjson.OPT_INDENT_2).decode()
        sys.stdout.write(f"{printable_json(written)}\n")
        return
    write_lines(
        [
            *(_told(failure, failure.reason, source) for failure in report.failures),
            *(
                _told(double, _in_file(double.reason, source), source)
                for double in report.duplicates
            ),
        ]
    )
    write_record(
        [
            ("items", source.count),
            ("accepted", len(report.accepted)),
            ("imported", report.done_count),
            ("refused", report.failed_count),
            ("duplicates", len(report.duplicates)),
            ("unknown", len(report.unknown) or None),
            ("jobs", " ".join(report.job_ids) or None),
            ("under way", " ".join(job.id for job in report.open_jobs) or None),
        ]
    )


def _told(failure: ImportFailure, reason: str, source: ImportFile) -> str:
    return f"{source.where(failure.index)}: {failure.code or '(no code)'}: {reason}"


def _in_file(reason: str, source: ImportFile) -> str:
    # The library counts items; people look at lines.
    return re.sub(r"item (\d+)$", lambda match: source.where(int(match[1])), reason)


def _as_json(report: ImportReport, source: ImportFile) -> dict[str, Any]:
    """The report; ranges are of items from 0, the end not included."""
    ranges = {
        name: [places.start, places.stop]
        for name in ("accepted", "unknown", "not_accepted")
        if isinstance(places := getattr(report, name), range)
    }
    return {
        "read": report.read,
        **ranges,
        "done_count": report.done_count,
        "failures": [_failure(failure, source) for failure in report.failures],
        "duplicates": [_failure(failure, source) for failure in report.duplicates],
        "job_ids": list(report.job_ids),
        "resume_from": report.resume_from and to_dict(report.resume_from),
    }


def _failure(failure: ImportFailure, source: ImportFile) -> dict[str, Any]:
    return {
        "index": failure.index,
        "line": source.line(failure.index),
        "code": failure.code,
        "reason": failure.reason,
    }

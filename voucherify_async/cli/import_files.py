"""Files to import: checked before anything is sent, and read item by item."""

from __future__ import annotations

import csv
import json
import os
import shlex
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from attrs import frozen

from .._bulk.reports import ResumePoint
from .._conversion.converter import from_dict, to_dict
from .._files.csv_upload import checked_csv
from ..errors import InvalidArgumentError, VoucherifyError
from .exits import USAGE, CommandError
from .terminal import PROGRAM


class ImportFile:
    """A CSV file or one with a JSON object a line, of which every line was checked.

    Attributes:
        path: Where it is.
        count: How many items it has.

    Raises:
        CommandError: It is no such file; the message says the line.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_csv = path.suffix.lower() == ".csv"
        if not self._is_csv and path.suffix.lower() not in {".jsonl", ".ndjson"}:
            raise CommandError(f"{path}: expected a file named *.csv or *.jsonl", USAGE)
        # Opened first: it says what is wrong with the path.
        with path.open("rb"):
            if not path.is_file():
                raise CommandError(f"{path}: is no regular file; it is read twice", USAGE)
        self.size = path.stat().st_size
        self._lines = array("Q")
        self.count = self._check_csv() if self._is_csv else sum(1 for _ in self._objects())
        if not self.count:
            raise CommandError(f"{path}: is empty; there is nothing to import", USAGE)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The items; read anew each time."""
        self._lines = array("Q")
        for line, item in self._rows() if self._is_csv else self._objects():
            self._lines.append(line)
            yield item

    def where(self, index: int | None) -> str:
        """Where an item stands that was read: `vouchers.csv:17`."""
        line = self.line(index)
        return f"{self.path}" if line is None else f"{self.path}:{line}"

    def line(self, index: int | None) -> int | None:
        """The line at which an item begins that was read."""
        return None if index is None or index >= len(self._lines) else self._lines[index]

    def _check_csv(self) -> int:
        try:
            with checked_csv(self.path) as checked:
                return sum(part.rows for part in checked.parts)
        except InvalidArgumentError as error:
            problem = str(error).removeprefix("file: ")
            raise CommandError(f"{self.path}: {problem}", USAGE) from None

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            line = 2
            for row in reader:
                yield line, row
                line = reader.line_num + 1

    def _objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    item = orjson.loads(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
                except orjson.JSONDecodeError as error:
                    raise CommandError(
                        f"{self.path}:{number}: is no JSON: {error.msg}", USAGE
                    ) from None
                if not isinstance(item, dict):
                    raise CommandError(f"{self.path}:{number}: is no JSON object", USAGE)
                yield number, item


@frozen
class Resumption:
    """Where an import of a file goes on."""

    point: ResumePoint | int
    file: Path | None
    """The file that says it, or None where it is a number."""


def resumption(given: str | None, source: ImportFile, campaign: str | None) -> Resumption:
    """Read what `--resume-from` was given: a number of items, or the file of an interrupted import.

    Raises:
        CommandError: It is neither, or the file belongs to another import.
    """
    if given is None or (given.isascii() and given.isdigit()):
        count = int(given or 0)
        if count > source.count:
            raise CommandError(
                f"--resume-from: is {count:,}, but {source.path} has {source.count:,} items", USAGE
            )
        return Resumption(count, None)
    path = Path(given)
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        point = from_dict(ResumePoint, state["resume_from"])
        belongs = state["bytes"] == source.size and state["campaign"] == campaign
    except (ValueError, KeyError, TypeError, VoucherifyError):
        raise CommandError(
            f"{path}: does not say where an import was interrupted; expected such a file, or how "
            "many items to pass over",
            USAGE,
        ) from None
    if not belongs:
        raise CommandError(
            f"{path}: belongs to another import; the file has changed since, or --campaign differs",
            USAGE,
        )
    return Resumption(point, path)


def keep(point: ResumePoint, source: ImportFile, campaign: str | None) -> str:
    """Write down where an import was interrupted; the command that goes on from there."""
    state = {"bytes": source.size, "campaign": campaign, "resume_from": to_dict(point)}
    path = source.path.with_name(f"{source.path.name}.resume.json")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    where = str(path)
    try:
        part.write_text(json.dumps(state), encoding="utf-8")
        part.replace(path)
    except OSError:
        where = str(point.index)
    words = [PROGRAM, "import", str(source.path), "--resume-from", where]
    if campaign is not None:
        words += ["--campaign", campaign]
    return shlex.join(words)

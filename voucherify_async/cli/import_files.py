"""Files to import: checked before anything is sent, and read item by item."""

from __future__ import annotations

import csv
import hashlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from .. import InvalidArgumentError, check_csv
from .exits import USAGE, CommandError


class ImportFile:
    """A CSV file or one with a JSON object a line, of which every line was checked.

    Attributes:
        path: Where it is.
        count: How many items it has.
        digest: The SHA-256 of its content, in hexadecimal digits.

    Raises:
        CommandError: It is not such a file; the message says the line.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_csv = path.suffix.lower() == ".csv"
        if not self._is_csv and path.suffix.lower() not in {".jsonl", ".ndjson"}:
            raise CommandError(f"{path}: expected a file named *.csv or *.jsonl", USAGE)
        # Opened first: it says what is wrong with the path.
        with path.open("rb") as file:
            if not path.is_file():
                raise CommandError(f"{path}: is not a regular file; it is read twice", USAGE)
            self.digest: str = hashlib.file_digest(file, "sha256").hexdigest()
        self._lines = array("Q")
        self.count: int = self._check_csv() if self._is_csv else sum(1 for _ in self._objects())
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
            return check_csv(self.path)
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
                        f"{self.path}:{number}: is not JSON: {error.msg}", USAGE
                    ) from None
                if not isinstance(item, dict):
                    raise CommandError(f"{self.path}:{number}: is not a JSON object", USAGE)
                yield number, item

"""Where an import of a file goes on after an interruption."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path

from .. import ImportReport, InvalidArgumentError, ResumeFile, ResumePoint
from .exits import USAGE, CommandError
from .import_files import ImportFile
from .terminal import PROGRAM


class Resumption:
    """Where an import begins, and the file that knows it from then on.

    Args:
        source: What is imported.
        campaign: The campaign that it goes into.
        given: What `--resume-from` was given: how many items to pass over, or a resume file.

    Raises:
        CommandError: It is neither, or of another import; or there is such a file of this import,
            and it was not named.
    """

    def __init__(self, source: ImportFile, campaign: str | None, given: str | None) -> None:
        self._source = source
        self._campaign = campaign
        is_count = given is not None and given.isascii() and given.isdigit()
        beside = source.path.with_name(f"{source.path.name}.resume.json")
        path = beside if given is None or is_count else Path(given)
        self._file = ResumeFile(path, of=self._identity())
        self.point: ResumePoint | int = 0
        if given is not None and is_count:
            self.point = self._passed_over(int(given))
        elif given is not None:
            self.point = self._load()
        elif beside.exists():
            raise CommandError(
                f"{beside}: an import of {source.path} was interrupted; remove that file to begin "
                f"anew, or go on with: {self.command()}",
                USAGE,
            )
        self.save: Callable[[ImportReport], Awaitable[None]] = self._file.save
        self.forget: Callable[[], None] = self._file.remove

    def command(self) -> str:
        """The command that goes on from the file."""
        words = [PROGRAM, "import", str(self._source.path), "--resume-from", str(self._file.path)]
        if self._campaign is not None:
            words += ["--campaign", self._campaign]
        return shlex.join(words)

    def _identity(self) -> dict[str, str | None]:
        app_id = os.environ.get("VOUCHERIFY_APP_ID", "")
        with_slash = os.environ.get("VOUCHERIFY_BASE_URL") or ""
        return {
            "content of the file": self._source.digest,
            "--campaign": self._campaign,
            "VOUCHERIFY_BASE_URL": with_slash.rstrip("/") or None,
            "project": hashlib.sha256(app_id.encode(errors="replace")).hexdigest()[:16],
        }

    def _passed_over(self, count: int) -> int:
        if count > self._source.count:
            raise CommandError(
                f"--resume-from: is {count:,}, but {self._source.path} has "
                f"{self._source.count:,} items",
                USAGE,
            )
        return count

    def _load(self) -> ResumePoint:
        try:
            point = self._file.load()
        except InvalidArgumentError as error:
            raise CommandError(str(error), USAGE) from None
        if point is None:
            raise CommandError(
                f"--resume-from: {self._file.path}: there is no such file; expected the file of an "
                "interrupted import, or how many items to pass over",
                USAGE,
            )
        return point

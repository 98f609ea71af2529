"""A file that says where an import goes on, for processes that may be killed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from anyio import to_thread

from .._conversion.converter import from_dict, to_dict
from .._files.atomic import file_path, replacing
from ..errors import InvalidArgumentError, ResponseValidationError
from .reports import ImportReport, ResumePoint

_MAX_BYTES: Final = 10_000_000


class ResumeFile:
    """Keeps where an import goes on, from before its first request to its end.

    ```python
    file = ResumeFile("cards.resume.json", of={"input": digest})
    report = await client.imports.stream(
        items, on_progress=file.save, resume_from=file.load() or 0
    )
    file.remove()
    ```

    Whatever ends the process in between, `kill -9` or a power failure, the file knows which items
    may have been sent, and the next import looks for them before it sends them again.

    Args:
        path: The file's path. It is replaced as a whole, and readable by its owner alone.
        of: What tells this import from others, such as a digest of the input; it is kept in the
            file, and held against it when the file is read.

    Raises:
        InvalidArgumentError: The path cannot be the name of a file.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, of: Mapping[str, str | None] | None = None
    ) -> None:
        self.path: Path = file_path(path, "path")
        self._of = dict(of or {})

    def load(self) -> ResumePoint | None:
        """Read where the import goes on.

        Returns:
            The point, or None where there is no such file.

        Raises:
            InvalidArgumentError: It is not such a file, was changed, or is of another import.
            OSError: It cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                content = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return None
        state = _checked(content, self.path)
        differing = [key for key in self._of if state["of"].get(key) != self._of[key]]
        if differing or state["of"].keys() != self._of.keys():
            raise InvalidArgumentError(
                f"{self.path}: belongs to another import; different: "
                f"{', '.join(differing) or 'what it is of'}"
            )
        try:
            point = from_dict(ResumePoint, state["resume_from"])
        except ResponseValidationError as error:
            raise InvalidArgumentError(f"{self.path}: {error}") from None
        if point.extra:
            raise InvalidArgumentError(f"{self.path}: was written by another version")
        return point

    async def save(self, report: ImportReport) -> None:
        """Write where the import goes on; made to be its `on_progress`.

        Raises:
            OSError: The file cannot be written; nothing more is sent then.
        """
        if report.resume_from is not None:
            await to_thread.run_sync(self._write, report.resume_from)

    def remove(self) -> None:
        """Remove the file, once the import is complete."""
        self.path.unlink(missing_ok=True)

    def _write(self, point: ResumePoint) -> None:
        state = {"of": self._of, "resume_from": to_dict(point)}
        with replacing(self.path) as file:
            file.write(orjson.dumps({**state, "checksum": _checksum(state)}))


def _checksum(state: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _checked(content: bytes, path: Path) -> dict[str, Any]:
    try:
        state = orjson.loads(content)
    except orjson.JSONDecodeError:
        state = None
    if not isinstance(state, dict) or state.keys() != {"of", "resume_from", "checksum"}:
        raise InvalidArgumentError(f"{path}: does not say where an import was interrupted")
    checksum = state.pop("checksum")
    if checksum != _checksum(state) or not isinstance(state["of"], dict):
        raise InvalidArgumentError(f"{path}: was changed since the import wrote it")
    return state


__all__ = ["ResumeFile"]

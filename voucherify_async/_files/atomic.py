"""Files that appear whole or not at all.

What this library writes holds codes and card numbers. A new file is for its owner alone; one that
is replaced keeps its mode. The content goes to a file with a random name in the same folder, which
takes the target's name once it is whole and on the disk.

Only regular files are replaced. A symbolic link is refused rather than followed: in a folder that
others can write to, it could point anywhere. So are devices, pipes and folders.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import IO, Final

import anyio
from anyio import to_thread

from ..errors import InvalidArgumentError

_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_OWNER_ONLY: Final = 0o600


@contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the target's place when the block ends without an error.

    Args:
        target: The file's path.

    Raises:
        InvalidArgumentError: It cannot be the name of a file.
        OSError: It cannot be written, or is something other than a regular file.
    """
    file = _AtomicFile(file_path(target, "path"))
    try:
        yield file.open()
        file.commit()
    finally:
        file.discard()


@asynccontextmanager
async def replacing_async(target: str | os.PathLike[str]) -> AsyncIterator[IO[bytes]]:
    """The same for async code: opened and put in place in a thread.

    The block writes to the file in threads of its own; none of them may be left running at its end.

    Raises:
        InvalidArgumentError, OSError: As in `replacing`.
    """
    file = _AtomicFile(file_path(target, "path"))
    try:
        yield await to_thread.run_sync(file.open)
        await to_thread.run_sync(file.commit)
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(file.discard)


def file_path(path: str | os.PathLike[str], name: str) -> Path:
    """The path that a caller gave.

    Raises:
        InvalidArgumentError: It cannot be the name of a file: it is empty, or holds a NUL or a lone
            surrogate.
    """
    with suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(path) and Path(path).name:
            return Path(path)
    raise InvalidArgumentError(f"{name}: {os.fspath(path)!a} cannot be the name of a file")


class _AtomicFile:
    # Each step may run in a thread whose caller was cancelled meanwhile: hence the lock, and a
    # discard that ends whatever comes after it.
    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{secrets.token_hex(8)}.part")
        self._file: IO[bytes] | None = None
        self._has_ended = False
        self._lock = Lock()

    def open(self) -> IO[bytes]:
        with self._lock:
            # Refused now, not after everything was written.
            _stat_of_replaced(self._target)
            if self._has_ended:
                raise InterruptedError(errno.EINTR, "was given up", str(self._target))
            self._file = os.fdopen(os.open(self._path, _FLAGS, _OWNER_ONLY), "wb")
            return self._file

    def commit(self) -> None:
        with self._lock:
            if self._file is None or self._has_ended:
                return
            _take_over(self._file.fileno(), _stat_of_replaced(self._target))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._path.replace(self._target)
            self._has_ended = True
            _sync_folder(self._target.parent)

    def discard(self) -> None:
        with self._lock:
            if self._file is not None and not self._has_ended:
                # The error that led here is the one to be told.
                with suppress(OSError):
                    self._file.close()
                with suppress(OSError):
                    self._path.unlink()
            self._has_ended = True


def _stat_of_replaced(target: Path) -> os.stat_result | None:
    """What is known of the file that is to be replaced; None where there is none.

    Raises:
        OSError: It is not a regular file.
    """
    try:
        found = target.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "is a symbolic link; name the file itself", str(target))
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(target))
    if not stat.S_ISREG(found.st_mode):
        raise FileExistsError(errno.EEXIST, "is not a regular file", str(target))
    return found


def _take_over(descriptor: int, replaced: os.stat_result | None) -> None:
    """Give a file the mode of the one that it replaces, to the same owner and group."""
    if replaced is None or sys.platform == "win32":
        return
    mode, own = stat.S_IMODE(replaced.st_mode) & 0o777, os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (replaced.st_uid, replaced.st_gid):
        try:
            os.fchown(descriptor, -1 if os.geteuid() else replaced.st_uid, replaced.st_gid)
        except OSError:
            # What one group could read is not for another one.
            mode &= 0o700
    os.fchmod(descriptor, mode)


def _sync_folder(folder: Path) -> None:
    # Best effort: not every system lets a folder be opened, and the file itself is on the disk.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

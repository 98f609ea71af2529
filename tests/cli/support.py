"""A pseudo-terminal, and waiting for what another process does."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable
from typing import Self

from voucherify_async.testing import FakeVoucherify

from .conftest import TIMEOUT, Command


class Terminal:
    """A pseudo-terminal in which a command runs; what appears on it is in `seen`."""

    def __init__(self, columns: int = 80) -> None:
        self.ours, self.its = pty.openpty()
        fcntl.ioctl(self.its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self.ours)
        if self.its != -1:
            os.close(self.its)

    def start(self, command: Command, *arguments: str, **ends: int) -> subprocess.Popen[str]:
        """Start a command in it; afterwards nobody else has it open."""
        all_its = {"stdin": self.its, "stdout": self.its, "stderr": self.its}
        process = command.start(*arguments, **{**all_its, **ends})
        os.close(self.its)
        self.its = -1
        return process

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self.ours, text.encode())

    def read_to(self, pattern: str) -> str:
        """Read until something appears."""
        give_up_at = time.monotonic() + TIMEOUT
        while not re.search(pattern, self.seen):
            is_in_time = self._read() and time.monotonic() < give_up_at
            assert is_in_time, f"{pattern!r} did not appear; last seen: {self.seen[-500:]!r}"
        return self.seen

    def read_all(self) -> str:
        """Read until the command has ended."""
        while self._read():
            pass
        return self.seen

    def _read(self) -> bool:
        ready, _, _ = select.select([self.ours], [], [], TIMEOUT)
        if not ready:
            return False
        try:
            chunk = os.read(self.ours, 65_536)
        except OSError:
            # So Linux says that the other end was closed.
            return False
        self.seen += chunk.decode(errors="replace")
        return bool(chunk)


def wait_for(happened: Callable[[], object]) -> None:
    """Return as soon as something in another process has happened."""
    give_up_at = time.monotonic() + TIMEOUT
    while not happened():
        assert time.monotonic() < give_up_at
        threading.Event().wait(0.005)


def sent(fake: FakeVoucherify, method: str) -> list[str]:
    """The paths of the requests of a method that arrived."""
    return [request.path for request in fake.requests if request.method == method]

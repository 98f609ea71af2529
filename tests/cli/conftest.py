"""The command as users run it: a process of its own, against a server on a loopback port."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from attrs import frozen

import voucherify_async
from voucherify_async import AsyncVoucherify
from voucherify_async.__main__ import main
from voucherify_async.cli import session
from voucherify_async.testing import FakeVoucherify

from ..bulk.conftest import Skipping

ROOT = Path(voucherify_async.__file__).parents[1]
TIMEOUT = 30


@frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines on stdout."""
        return self.out.splitlines()


@frozen
class Command:
    """The command, in a folder and an environment of its own."""

    folder: Path
    environment: Mapping[str, str]
    started: list[subprocess.Popen[str]]

    def start(self, *arguments: str, **ends: int) -> subprocess.Popen[str]:
        """Start it; its streams are pipes, and stdin is empty, unless they are given."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        pipes.update(ends)
        process = subprocess.Popen(
            [sys.executable, "-m", "voucherify_async", *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            text=True,
            encoding="utf-8",
            stdin=pipes["stdin"],
            stdout=pipes["stdout"],
            stderr=pipes["stderr"],
        )
        self.started.append(process)
        return process

    def __call__(self, *arguments: str, stdin: str | None = None) -> Ended:
        """Run it to its end."""
        process = self.start(*arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(stdin, timeout=TIMEOUT)
        assert "Traceback" not in err
        return Ended(process.returncode, out, err)

    def with_environment(self, **changes: str) -> Command:
        """The same command in a changed environment."""
        return Command(self.folder, {**self.environment, **changes}, self.started)


class Call:
    """The command in this very process, which is faster; not on a terminal."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str = "") -> Ended:
        """Run it to its end."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(arguments)
        written = self._capsys.readouterr()
        return Ended(code, str(written.out), str(written.err))


@pytest.fixture
def call_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Call:
    """The command in this process, with credentials but no server; it waits for nothing."""
    client = partial(AsyncVoucherify, clock=Skipping())
    monkeypatch.setattr(session, "AsyncVoucherify", client)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOUCHERIFY_APP_ID", "id")
    monkeypatch.setenv("VOUCHERIFY_APP_TOKEN", "token")
    monkeypatch.setenv("VOUCHERIFY_BASE_URL", "http://127.0.0.1:1")
    return Call(capsys, monkeypatch)


@pytest.fixture
def url(fake: FakeVoucherify) -> Iterator[str]:
    """Where the server is."""
    with fake.serve() as url:
        yield url


@pytest.fixture
def call(call_alone: Call, url: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command in this process, set up for the server."""
    monkeypatch.setenv("VOUCHERIFY_BASE_URL", url)
    return call_alone


@pytest.fixture
def fake() -> FakeVoucherify:
    """A server with a few vouchers, whose jobs end at once."""
    fake = FakeVoucherify(app_id="id", app_token="token")
    fake.polls_until_done = 0
    fake.add_voucher({"code": "SAVE", "discount": {"type": "PERCENT", "percent_off": 10}})
    fake.add_voucher({"code": "CARD", "gift": {"amount": 10_000, "balance": 10_000}})
    return fake


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Command]:
    """The command in an environment without credentials."""
    # The last one would have the command compiled anew at each start.
    left_out = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    environment = {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    command = Command(tmp_path, environment, [])
    yield command
    for process in command.started:
        # Where a test has failed, its process may be there still.
        with process:
            process.kill()


@pytest.fixture
def command(bare: Command, url: str) -> Command:
    """The command, set up for the server."""
    return bare.with_environment(
        VOUCHERIFY_BASE_URL=url, VOUCHERIFY_APP_ID="id", VOUCHERIFY_APP_TOKEN="token"
    )

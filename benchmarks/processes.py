"""The processes of a run: the server, and one interpreter for each peer."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).parent.parent
# Proxies and settings of the machine would reach some peers and not others.
_DISTURBS = re.compile("(https?|all|no)_proxy|VOUCHERIFY_.*", re.IGNORECASE).fullmatch


class PeerMissingError(Exception):
    """A peer's package cannot be imported here."""


class PeerFailedError(Exception):
    """A peer was imported and then failed; the text is its traceback."""


class _Process:
    """A child that talks in lines and ends when its standard input is closed."""

    def __init__(self, *arguments: str, folder: Path = _ROOT) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not _DISTURBS(name)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise PeerFailedError(f"the process ended with status {self._process.wait()}")
        return json.loads(line)


class Server(_Process):
    """The benchmark server, one port for each latency in milliseconds."""

    def __init__(self, latencies: Sequence[float] = (0, 30)) -> None:
        super().__init__("benchmarks.server", *(str(latency) for latency in latencies))
        self._ports = dict(zip(latencies, self._read(), strict=True))

    def url(self, latency: float = 0) -> str:
        """The address whose answers take this many milliseconds."""
        return f"http://127.0.0.1:{self._ports[latency]}"

    def cpu_seconds(self) -> float:
        """What the server has used so far."""
        connection = http.client.HTTPConnection("127.0.0.1", next(iter(self._ports.values())))
        try:
            connection.request("GET", "/usage")
            return float(connection.getresponse().read())
        finally:
            connection.close()


class Worker(_Process):
    """One fresh interpreter; see `benchmarks.worker`. What it imports lies in `folder`."""

    def __init__(self, folder: Path = _ROOT) -> None:
        super().__init__("benchmarks.worker", folder=folder)

    def call(self, function: str, **kwargs: Any) -> Any:
        """Run `module:function` there and return its result, which JSON can express.

        Raises:
            PeerMissingError: Something that it imports is not installed.
            PeerFailedError: It raised.
        """
        assert self._process.stdin
        print(
            json.dumps({"call": function, "kwargs": kwargs}), file=self._process.stdin, flush=True
        )
        answer = self._read()
        if "missing" in answer:
            raise PeerMissingError(answer["missing"])
        if "error" in answer:
            raise PeerFailedError(answer["error"])
        return answer["result"]


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis of the run's own that writes nothing to disk: its URL.

    Raises:
        PeerMissingError: It is not installed.
    """
    if shutil.which("redis-server") is None:
        raise PeerMissingError("redis-server is not installed")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        path = Path(folder) / "socket"
        options = ["--port", "0", "--unixsocket", str(path), "--dir", folder, "--save", ""]
        log = ["--logfile", str(Path(folder) / "log")]
        process = subprocess.Popen(["redis-server", *options, *log])
        try:
            _wait_for(path)
            yield f"unix://{path}?db=0"
        finally:
            process.kill()
            process.wait()


def _wait_for(path: Path) -> None:
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path))
            except OSError:
                time.sleep(0.01)
            else:
                return
    raise PeerMissingError("redis-server did not start")


@contextmanager
def earlier_state(revision: str) -> Iterator[Path]:
    """A folder with the library as it was at a revision, and with these benchmarks."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        archive = subprocess.Popen(
            ["git", "archive", revision, "voucherify_async"], cwd=_ROOT, stdout=subprocess.PIPE
        )
        try:
            with tarfile.open(fileobj=archive.stdout, mode="r|") as files:
                files.extractall(name, filter="data")
        finally:
            archive.communicate()
        (Path(name) / "benchmarks").symlink_to(_ROOT / "benchmarks")
        yield Path(name)

"""A real Redis of the tests' own, for what shares state between processes.

Ask for `redis_url`: an empty Redis on the loopback interface. Each process of a parallel run has
one of its own.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_ATTEMPTS = 5
_STARTS_WITHIN = 10.0


class RedisServer:
    """A `redis-server` process that writes nothing to disk.

    Args:
        *options: More options of its command line, such as `"--requirepass", "secret"`.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def unix_url(self) -> str:
        """Where it listens too."""
        return f"unix://{self._socket}?db=0"

    def start(self) -> None:
        """Start it, on the port it had if it ran before."""
        for _ in range(_ATTEMPTS):
            if self._starts_on(self.port or _free_port()):
                return
        raise RuntimeError(f"redis-server did not start: {self._log.read_text()}")

    def stop(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def send(self, *words: str) -> bytes:
        """Send one command, such as `"CLIENT", "PAUSE", "100"`; returns the answer as it came."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_STARTS_WITHIN)
            connection.connect(str(self._socket))
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(65_536)

    def close(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _socket(self) -> Path:
        return self._folder / "socket"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _starts_on(self, port: int) -> bool:
        # fmt: off
        self._process = subprocess.Popen([
            "redis-server", "--bind", "127.0.0.1", "--port", str(port),
            "--unixsocket", str(self._socket), "--dir", str(self._folder),
            "--logfile", str(self._log), "--save", "", "--appendonly", "no", *self._options,
        ])
        # fmt: on
        give_up_at = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < give_up_at and self._process.poll() is None:
            try:
                # Over its own socket, as the port may have become another's: then it ends.
                if self.send("PING").startswith((b"+PONG", b"-NOAUTH")):
                    self.port = port
                    return True
            except OSError:
                time.sleep(0.01)
        self.stop()
        return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def new_redis_server(*options: str) -> RedisServer:
    """A server that runs; the test is skipped where Redis is not installed. Close it."""
    if shutil.which("redis-server") is None:
        pytest.skip("NOT TESTED: redis-server is not installed (Debian: apt install redis-server)")
    server = RedisServer(*options)
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis that the tests of one process share."""
    server = new_redis_server()
    yield server
    server.close()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of a Redis without keys and scripts."""
    redis_server.send("FLUSHALL")
    redis_server.send("SCRIPT", "FLUSH")
    return redis_server.url

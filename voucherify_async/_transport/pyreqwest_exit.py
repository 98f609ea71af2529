"""The end of a process that used pyreqwest, and its forks."""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from typing import Final

import pyreqwest.exceptions as theirs
from pyreqwest.client import SyncClientBuilder

from ..errors import ConfigurationError

_guarded: Final = set[int]()
FORKED: Final = (
    'http_backend: "pyreqwest" does not work in a process that was forked after it was used; '
    'start the process by "spawn", or use "aiohttp"'
)


def guard_exit() -> None:
    """Let the process end only when pyreqwest's thread has left Python.

    It wakes event loops. Within such a call, when the interpreter goes away, it would abort the
    process.

    Raises:
        ConfigurationError: This process was forked from one in which the thread was left behind.
    """
    pid = os.getpid()
    if pid in _guarded:
        return
    if _guarded:
        raise ConfigurationError(FORKED)
    _guarded.add(pid)
    atexit.register(_await_thread, pid)


def _await_thread(pid: int) -> None:
    if os.getpid() != pid:
        # In a fork the thread is missing, and would be awaited for ever.
        return
    with suppress(theirs.PyreqwestError):
        # It does one thing after the other, and this one last: a request that is refused unsent.
        client = SyncClientBuilder().runtime_multithreaded(enable=False).https_only(enable=True)
        client.danger_accept_invalid_certs(enable=True).build().get(
            "http://localhost"
        ).build().send()

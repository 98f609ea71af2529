"""`VOUCHERIFY_LOG`: the log on stderr, for whoever wants a look without setting up logging."""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import Final

log: Final = logging.getLogger("voucherify_async")
"""Attempts at DEBUG, repetitions at INFO; never a code, a header or a body."""

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO}
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@cache
def _note_ignored(wanted: str) -> None:
    """Say once that a level is ignored: no service is to fail over its log."""
    log.warning("VOUCHERIFY_LOG: expected debug or info, got %r, which is ignored", wanted)


def log_as_environment_says() -> None:
    """Log if `VOUCHERIFY_LOG` is `debug` or `info`: to stderr, unless logging is set up already."""
    wanted = os.environ.get("VOUCHERIFY_LOG")
    if not wanted:
        return
    level = _LEVELS.get(wanted.lower())
    if level is None:
        _note_ignored(wanted)
        return
    log.setLevel(level)
    # Where the service has set logging up, its own handlers write.
    if not log.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_FORMAT))
        log.addHandler(handler)

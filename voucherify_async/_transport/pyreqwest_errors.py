"""What pyreqwest's errors say: whether a request was sent, and whether it was being answered.

Its classes do not tell; the causes behind them do, which are reqwest's own words.
"""

from __future__ import annotations

import asyncio
from typing import Final

import pyreqwest.exceptions as theirs
from anyio.lowlevel import checkpoint_if_cancelled

from .. import errors
from ..errors import TransportError
from .backend import Attempt

# How an error begins before the answer has come, and what it says then.
_NOT_ANSWERED: Final = "error sending request"
_NOT_CONNECTED: Final = "client error (Connect)"
_CUT_SHORT: Final = "connection closed before message completed"


class StalledError(Exception):
    """A step of a large request took longer than it may."""

    def __init__(self, error_class: type[TransportError]) -> None:
        super().__init__("timed out")
        self.error_class = error_class


def _causes(error: BaseException) -> list[str]:
    """What went wrong, the outermost first: `reqwest`, its client, the connection."""
    details = getattr(error, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or ()]


def is_unconnected(error: BaseException) -> bool:
    """Whether there surely was no connection to send on.

    An address that cannot be used is a ValueError.
    """
    return isinstance(error, ValueError) or _causes(error)[1:2] == [_NOT_CONNECTED]


def is_answered(error: BaseException) -> bool:
    """Whether the other side had begun to answer."""
    if isinstance(error, theirs.DecodeError):
        return True
    if isinstance(error, ValueError):
        return False
    return any(not cause.startswith(_NOT_ANSWERED) for cause in _causes(error)[:1])


def error_class_of(error: Exception, attempt: Attempt) -> type[TransportError]:
    """Our class for an error of pyreqwest's."""
    if isinstance(error, StalledError):
        return error.error_class
    if isinstance(error, theirs.RequestTimeoutError):
        # That of reading counts from the beginning, and so may end the connecting.
        return errors.ReadTimeout if attempt.may_be_whole else errors.ConnectTimeout
    if is_unconnected(error):
        return errors.ConnectError
    if isinstance(error, theirs.DecodeError) or _CUT_SHORT in _causes(error):
        return errors.ProtocolError
    return errors.ReadError if attempt.may_be_whole else errors.WriteError


def reason_of(error: Exception) -> str:
    """What an error says, without the address."""
    if isinstance(error, ValueError):
        return "the address cannot be used"
    # The first cause quotes the address.
    return ": ".join(_causes(error)[1:]) or str(error.args[0])


async def raise_own_cancellation(error: BaseException) -> None:
    """Raise anyio's, which it knows by its text, in the place of pyreqwest's."""
    if isinstance(error, asyncio.CancelledError):
        await checkpoint_if_cancelled()

"""How a command ends: its exit codes, and one line where something went wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Final, NoReturn, ParamSpec

import typer

from ..errors import (
    AmbiguousOutcomeError,
    AsyncActionFailedError,
    ConfigurationError,
    ExportFailedError,
    InvalidArgumentError,
    NotFoundError,
    PaginationLimitError,
    RateLimitError,
    VoucherifyError,
    WaitTimeoutError,
)
from .terminal import say

OK: Final = 0
NEGATIVE: Final = 1
USAGE: Final = 2
FAILED: Final = 3
UNKNOWN: Final = 4
INTERRUPTED: Final = 130
CLOSED_PIPE: Final = 141

Params = ParamSpec("Params")


class CommandError(Exception):
    """Ends the command with a line on stderr.

    Attributes:
        code: The exit code.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def explain(error: BaseException) -> CommandError:
    """Say in a line what went wrong, and which exit code that is."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, OSError) and not isinstance(error, VoucherifyError):
        where = f"{error.filename}: " if error.filename else ""
        return CommandError(f"{where}{error.strerror or error}", USAGE)
    text = str(error)
    if isinstance(error, AmbiguousOutcomeError):
        if error.how_to_check and error.how_to_check not in text:
            text = f"{text}. {error.how_to_check}"
        return CommandError(text, UNKNOWN)
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        text = f"{text}; try again in {error.retry_after:,.0f} s"
    return CommandError(text, _code_of(error))


def is_missing(error: BaseException | None) -> bool:
    """Whether Voucherify says that there is no such thing; a wrong address has no error key."""
    return isinstance(error, NotFoundError) and error.key is not None


def _code_of(error: BaseException) -> int:
    if isinstance(error, (ConfigurationError, InvalidArgumentError, PaginationLimitError)):
        return USAGE
    negative = (AsyncActionFailedError, ExportFailedError, WaitTimeoutError)
    return NEGATIVE if isinstance(error, negative) or is_missing(error) else FAILED


def guarded(command: Callable[Params, int | None]) -> Callable[Params, NoReturn]:
    """Turn what a command returns or raises into its exit code, and errors into one line."""

    @wraps(command)
    def run(*args: Params.args, **options: Params.kwargs) -> NoReturn:
        raise typer.Exit(exit_code(lambda: command(*args, **options) or OK))

    return run


def exit_code(work: Callable[[], int]) -> int:
    """Do something, flush what it has printed, and return the exit code."""
    try:
        try:
            code = work()
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            say("interrupted")
            code = INTERRUPTED
        except (CommandError, VoucherifyError, OSError) as error:
            explained = explain(error)
            sys.stdout.flush()
            say(str(explained))
            code = explained.code
    except BrokenPipeError:
        _let_go()
        code = CLOSED_PIPE
    return code


def _let_go() -> None:
    # Python flushes both at its end, which would complain of the closed pipe once more.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


__all__ = [
    "CLOSED_PIPE",
    "CommandError",
    "FAILED",
    "INTERRUPTED",
    "NEGATIVE",
    "OK",
    "UNKNOWN",
    "USAGE",
    "exit_code",
    "explain",
    "guarded",
    "is_missing",
]

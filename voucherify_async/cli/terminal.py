"""What goes to the terminal: nothing that would steer it."""

from __future__ import annotations

import re
import sys
from typing import Final

try:
    import termios
except ImportError:  # not on Windows
    termios = None  # type: ignore[assignment]

PROGRAM: Final = "voucherify-async"

# What JSON writers leave as it is, though terminals obey it or cannot show it.
_STEERING: Final = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def printable(text: str) -> str:
    """The text with each character that a terminal would obey, or not show, as its escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escaped(character) for character in text
    )


def _escaped(character: str) -> str:
    # No-break and other spaces look like spaces.
    return " " if character.isspace() and character > "\xa0" else ascii(character)[1:-1]


def printable_json(text: str) -> str:
    """The same JSON, with such characters in its strings as escapes."""
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def say(text: str) -> None:
    """Write a line for people, to stderr."""
    sys.stdout.flush()
    sys.stderr.write(f"{PROGRAM}: {printable(text)}\n")
    sys.stderr.flush()


def ask(question: str) -> bool:
    """Ask for a yes on the terminal; anything else, and the end of the input, is a no."""
    _forget_typed()
    sys.stderr.write(f"{printable(question)} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    return answer.strip().lower() in {"y", "yes"}


def _forget_typed() -> None:
    # What was typed before the question is no answer to it.
    if termios is not None:
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def can_ask() -> bool:
    """Whether someone sits at both ends."""
    return sys.stdin.isatty() and sys.stderr.isatty()

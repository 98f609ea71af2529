"""Progress bars: on stderr, and only where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .terminal import printable


class Bar:
    """What a command tells of its progress; shows nothing itself."""

    def update(self, done: float, total: float | None = None, note: str = "") -> None:
        """Tell how far it is.

        Args:
            done: How much is done.
            total: How much there is, or None where that is not known or was told before.
            note: A few words more.
        """


@contextmanager
def progress(what: str, total: float | None = None, *, shown: bool = True) -> Iterator[Bar]:
    """Show a bar while the block runs.

    Args:
        what: What is being done, in a word or two.
        total: How much there is to do, or None where that is not known yet.
        shown: False where the output itself appears on the same terminal as it comes.
    """
    if not (shown and sys.stderr.isatty()):
        yield Bar()
        return
    from ._rich import rich_bar

    with rich_bar(printable(what), total) as bar:
        yield bar

"""Every Python block of the documentation runs against the embedded server."""

from __future__ import annotations

import pytest

from .pages import Block, all_blocks
from .running import outcomes

BLOCKS = all_blocks("python", "py", "python3", "pycon", "{code-block}")
NOT_RUN = 2


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_block(block: Block) -> None:
    """The block runs, after those before it on its page, and prints what it says."""
    assert block.language == "python", "write ```python, so that it is run"
    error = outcomes(block.page)[block.line]
    if error is not None:
        raise error


def test_few_are_left_out() -> None:
    """A block that is not run says why on its page, and is counted here."""
    assert len([block for block in BLOCKS if block.not_run]) == NOT_RUN

"""Blocks of data are well-formed, and every block is of a language that is looked at."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from .pages import Block, all_blocks, blocks, pages
from .test_shell_blocks import BLOCKS as SHELL

PARSERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}
# Pictures of what a program writes, and directives of Sphinx.
SHOWN = ("text", "csv")


@pytest.mark.parametrize("block", all_blocks(*PARSERS), ids=lambda block: block.name)
def test_block(block: Block) -> None:
    """The block can be parsed."""
    assert PARSERS[block.language](block.text)


def test_every_block_is_looked_at() -> None:
    """No block is of a language that no test knows."""
    known = {"python", *PARSERS, *SHOWN, *(block.language for block in SHELL)}
    strange = [b.name for p in pages() for b in blocks(p) if b.language not in known]
    directives = [b.name for p in pages() for b in blocks(p) if b.language.startswith("{")]
    assert [name for name in strange if name not in directives] == []

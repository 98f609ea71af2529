"""The pages of the documentation, taken apart into their fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)(`{3,}|:{3,})\s*(\S*)(.*)$")
_NOT_RUN = re.compile(r"^\*Not run by the tests: (?P<reason>.+)\*$")
_GIVEN = re.compile(r"<!-- given:\s(.*?)\s-->", re.DOTALL)


@frozen
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    """The line of its first line of content, from 1."""
    language: str
    text: str
    given: str
    """Python that prepares what the reader has and the page does not show."""
    not_run: str | None
    """Why it is not run, as the page says; None where it is."""

    @property
    def name(self) -> str:
        """Where it is."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page whose blocks are held against the code."""
    docs = ROOT / "docs"
    written = (path for path in docs.rglob("*.md") if "_build" not in path.parts)
    return [*sorted(written), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    return list(_blocks(page, page.read_text().split("\n")))


def all_blocks(*languages: str) -> list[Block]:
    """The blocks of all pages that are in one of the languages."""
    return [b for page in pages() for b in blocks(page) if b.language in languages]


def _blocks(page: Path, lines: list[str]) -> Iterator[Block]:
    before: list[str] = []
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        fence = _FENCE.match(line)
        if fence is None:
            before.append(line)
            continue
        indent, marks, language, _ = fence.groups()
        content: list[str] = []
        for _, inner in numbered:
            if inner.strip() == marks:
                break
            content.append(inner.removeprefix(indent))
        told = "\n".join(before)
        given = "\n".join(_GIVEN.findall(told))
        last = next((text for text in reversed(before) if text.strip()), "")
        reason = _NOT_RUN.match(last.strip())
        text = "\n".join(content) + "\n"
        yield Block(page, number + 1, language, text, given, reason and reason["reason"])
        before = []

"""The examples of the repository, each with what its docstring says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "examples"


def sections() -> Iterator[str]:
    """A Markdown section for each example: its docstring, then its code."""
    for path in sorted(FOLDER.glob("*.py")):
        if path.name != "__init__.py":
            yield _section(path)


def _section(path: Path) -> str:
    source = path.read_text()
    module = ast.parse(source)
    # What stands behind the docstring.
    code = "".join(source.splitlines(keepends=True)[module.body[0].end_lineno :]).strip("\n")
    words = ast.get_docstring(module) or ""
    return f"## `{path.name}`\n\n{words}\n\n````python\n{code}\n````\n"

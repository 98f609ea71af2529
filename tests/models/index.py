"""Write the index of the models' names: `python -m tests.models.index`."""

from __future__ import annotations

import ast
import textwrap
from importlib.util import find_spec
from pathlib import Path

FOUND = find_spec("voucherify_async")  # not imported: without an index it cannot be
assert FOUND is not None
assert FOUND.origin is not None
FOLDER = Path(FOUND.origin).parent / "models"
INDEX = FOLDER / "_index.py"
HEAD = '''\
"""Which module holds which name, so that asking for one loads no other.

Written by `python -m tests.models.index` from each module's `__all__`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NAMES: Final = {
'''
TAIL = '''\
}
MODULES: Final[Mapping[str, str]] = {
    name: module for module, names in _NAMES.items() for name in names.split()
}
"""The module of each model, by the model's name."""
'''


def listed(path: Path) -> list[str]:
    """What a module's `__all__` names; of the base only the model."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def written() -> str:
    """The text that the index should be."""
    lines = []
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        names = textwrap.wrap(" ".join(listed(path)), 75)
        shown = f'"{names[0]}"' if len(names) == 1 else "\n        ".join(['"""', *names])
        lines.append(f'    "{path.stem}": {shown}' + ("" if len(names) == 1 else '\n    """') + ",")
    return HEAD + '    "_base": "Model",\n' + "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    INDEX.write_text(written())

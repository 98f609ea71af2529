"""Each model's name is listed once, by its module, and asking for it loads that module only."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import voucherify_async
from voucherify_async import models
from voucherify_async.models._index import MODULES

from .index import FOLDER, INDEX, listed, written


def test_the_index_is_what_the_modules_list() -> None:
    """The index that lazy loading goes by is up to date."""
    assert INDEX.read_text() == written(), "run `python -m tests.models.index`"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_a_module_lists_what_it_defines(path: Path) -> None:
    """`__all__` holds each class and alias that a module defines without an underscore."""
    defined = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            defined.add(ast.unparse(node.target))
    assert set(listed(path)) == {name for name in defined if not name.startswith("_")}


def test_type_checkers_are_shown_every_module() -> None:
    """Each module of the index is imported where only type checkers look."""
    tree = ast.parse((FOLDER / "__init__.py").read_text())
    shown = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert shown >= set(MODULES.values())


@pytest.mark.parametrize(
    ("asked", "loaded"),
    [
        ("voucherify_async.DailyHours", {"_base", "validity"}),
        ("voucherify_async.models.AsyncAction", {"_base", "async_actions"}),
        ("voucherify_async.models", set()),
    ],
)
def test_asking_for_a_model_loads_its_module(asked: str, loaded: set[str]) -> None:
    """One model loads the module that holds it and what that is made of, and no converter."""
    code = (
        f"import sys, voucherify_async.models\n{asked}\n"
        "print(*(m for m in sys.modules if m.startswith('voucherify_async.models.')))\n"
        "print('cattrs' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, cattrs = done.stdout.splitlines()
    assert {name.rpartition(".")[2] for name in modules.split()} == {"_index", *loaded}
    assert cattrs == "False"


@pytest.mark.parametrize("package", [voucherify_async, models])
def test_a_misspelt_name_is_not_there(package: object) -> None:
    """A name that does not exist is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="Vouchr"):
        package.Vouchr  # type: ignore[attr-defined]  # noqa: B018

"""What the documentation generates is complete."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import voucherify_async
from voucherify_async import errors, resources, testing, webhooks
from voucherify_async.models._index import MODULES

from .pages import ROOT, Block, blocks, pages
from .sdk_operations import DATA, text

FLAGS = re.MULTILINE | re.DOTALL
CATALOGUE = ROOT / "docs" / "errors.md"
REFERENCE = ROOT / "docs" / "reference"
ERRORS = [
    thing
    for name in errors.__all__
    if inspect.isclass(thing := getattr(errors, name)) and issubclass(thing, Exception)
]


def entries(*directives: str) -> list[tuple[str, Block]]:
    """The blocks of the reference that generate something, with their arguments."""
    found = []
    for page in pages():
        lines = page.read_text().split("\n")
        for block in blocks(page):
            if block.language in directives:
                opening = lines[block.line - 2]
                found.append((opening.partition("}")[2].strip(), block))
    return found


def test_reference_holds_every_public_name() -> None:
    """Each public name stands in the reference exactly once."""
    told: Counter[str] = Counter()
    for module, block in entries("{documented}"):
        told.update(f"{module or 'voucherify_async'}.{name}" for name in block.text.split())
    for module, _ in entries("{models}"):
        names = [name for name, home in MODULES.items() if home == module]
        assert names, module
        told.update(f"voucherify_async.{name}" for name in names)
    public = {
        f"{module.__name__}.{name}"
        for module in (voucherify_async, resources, testing, webhooks)
        for name in vars(module)["__all__"]
    }
    assert told == Counter(public)


def test_every_extra_is_told() -> None:
    """The page on installing has a row for each extra that is for users."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"]) - {"bench", "dev", "docs", "release"}
    told = re.findall(
        r"^\| `([\w-]+)` \|", (ROOT / "docs" / "install.md").read_text(), re.MULTILINE
    )
    assert set(told) >= extras


def test_sdk_operations_are_those_of_the_sdk() -> None:
    """The table of the official SDK's operations has each of them, and nothing else."""
    if find_spec("voucherify") is None:
        pytest.skip("voucherify is not installed; it is in the extra dev")
    assert DATA.read_text() == text(), "run python -m tests.docs.sdk_operations"


def test_every_operation_has_a_place_to_go() -> None:
    """Each operation of the SDK is done by a method that exists, or by `request`."""
    migration = pytest.importorskip("docs._ext.migration")
    told = "\n".join(table for _, table in migration.tables())
    for operation in migration.operations():
        assert f"| `{operation.call}` | " in told
        if operation.ours is None:
            assert operation.our_call.startswith(f'client.request("{operation.method}", ')
        else:
            namespace, _, method = operation.ours.partition(".")
            assert callable(getattr(getattr(resources, migration.namespaces()[namespace]), method))


def test_migration_names_every_route() -> None:
    """A method of ours that the SDK has too stands in the table, by its own name."""
    migration = pytest.importorskip("docs._ext.migration")
    ours = {operation.ours for operation in migration.operations()}
    missing = set(migration.route_names()) - ours
    assert missing == set()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_error_catalogue(error: type[Exception]) -> None:
    """The catalogue says of each error when it is raised, what it holds and what to do."""
    title = re.escape(error.__name__)
    found = re.search(rf"^### {title}\n(.*?)(?=^#|\Z)", CATALOGUE.read_text(), FLAGS)
    assert found, f"{error.__name__} is not in the catalogue"
    section = found[1]
    assert re.search(r"^\*\*When:\*\* \S", section, FLAGS)
    assert re.search(r"^\*\*Do:\*\* \S", section, FLAGS)
    for name in sorted(own_attributes(error)):
        assert f"`{name}`" in section, f"say what {name} of {error.__name__} is"


def test_error_catalogue_has_nothing_else() -> None:
    """Every section of the catalogue is of an error that exists."""
    told = re.findall(r"^### (\w+)$", CATALOGUE.read_text(), FLAGS)
    assert sorted(told) == sorted(error.__name__ for error in ERRORS)


def own_attributes(error: type[Exception]) -> set[str]:
    """What the class itself adds to its bases for callers to read."""
    source = Path(inspect.getfile(errors)).read_text()
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    (node,) = (node for node in classes if node.name == error.__name__)
    names: set[str] = set()
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            names.add(ast.unparse(statement.target))
        elif isinstance(statement, ast.FunctionDef) and _is_property(statement):
            names.add(statement.name)
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            documented = ast.get_docstring(node) or ""
            names.update(n for n in _set_on_self(statement) if f"{n}:" in documented)
    return {name for name in names if not name.startswith("_")}


def _is_property(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "property" for decorator in function.decorator_list)


def _set_on_self(function: ast.FunctionDef) -> set[str]:
    targets: list[Any] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign):
            targets.append(node.target)
    return {
        part.attr
        for target in targets
        for part in ast.walk(target)
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self"
    }

"""The directives that generate parts of pages, each from the code."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from docutils import nodes
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import TypeAliasForwardRef

import voucherify_async
from voucherify_async.models import MODULES

from . import commands, docstrings, examples, migration


class _Generated(SphinxDirective):
    """A directive whose content is Markdown or reStructuredText made here."""

    has_content = True
    required_arguments = 0
    optional_arguments = 1

    def markdown(self, text: str) -> list[nodes.Node]:
        return self.parse_text_to_nodes(text, allow_section_headings=True)

    def restructured(self, lines: Iterable[str]) -> list[nodes.Node]:
        return self.markdown("\n".join(("````{eval-rst}", *lines, "````")))


class Documented(_Generated):
    """Public names of a module, one a line, each from its docstring."""

    def run(self) -> list[nodes.Node]:
        module = self.arguments[0] if self.arguments else "voucherify_async"
        names = [name for line in self.content for name in line.split()]
        return self.restructured(line for name in names for line in _entry(module, name))


class Models(_Generated):
    """The public names of one module of models."""

    def run(self) -> list[nodes.Node]:
        names = [name for name, module in MODULES.items() if module == self.arguments[0]]
        return self.restructured(
            line for name in names for line in _entry("voucherify_async", name)
        )


class SdkSummary(_Generated):
    """How much of the official SDK has a method here."""

    def run(self) -> list[nodes.Node]:
        return self.markdown(migration.summary())


class SdkOperations(_Generated):
    """Each operation of the official SDK beside ours, a table for each of its classes."""

    def run(self) -> list[nodes.Node]:
        tables = (f"### {api}\n\n{{.calls}}\n{table}\n" for api, table in migration.tables())
        return self.markdown("\n".join(tables))


class Examples(_Generated):
    """Every example of the repository."""

    def run(self) -> list[nodes.Node]:
        return self.markdown("\n".join(examples.sections()))


class Commands(_Generated):
    """Each command of `voucherify-async`, as its own help tells it."""

    def run(self) -> list[nodes.Node]:
        return self.markdown("\n".join(commands.sections()))


def aliases() -> dict[str, TypeAliasForwardRef]:
    """The public names that stand for a type, and where each is told."""
    names = [name for name, thing in _public().items() if _alternatives(thing)]
    return {name: TypeAliasForwardRef(f"voucherify_async.{name}") for name in names}


def _public() -> dict[str, Any]:
    return {name: getattr(voucherify_async, name) for name in dir(voucherify_async)}


def _entry(module: str, name: str) -> Iterator[str]:
    thing = getattr(import_module(module), name)
    if inspect.isclass(thing):
        yield f".. autoclass:: {module}.{name}"
        yield "   :members:"
        if docstrings.is_model(thing):
            yield "   :inherited-members: Model"
    elif inspect.isfunction(thing):
        yield f".. autofunction:: {module}.{name}"
    else:
        yield from _data(module, name, thing)
    yield ""


def _data(module: str, name: str, thing: Any) -> Iterator[str]:
    home = _home(module, name)
    yield f".. py:data:: {module}.{name}"
    if home != module:
        yield f"   :canonical: {home}.{name}"
    yield ""
    words = docstrings.restructured("\n".join(_attribute_docs(home).get(name, [])))
    yield from (f"   {line}" for line in words.split("\n"))
    yield ""
    shown = _alternatives(thing)
    if shown:
        yield f"   {' | '.join(shown)}"


def _home(module: str, name: str) -> str:
    late = vars(import_module(module)).get("_LATE", {})
    return f"{module}{late[name]}" if name in late else module


def _alternatives(thing: Any) -> list[str]:
    if get_origin(thing) is Literal:
        return [f"``{value!r}``" for value in get_args(thing)]
    if get_origin(thing) is Annotated:
        return _alternatives(get_args(thing)[0])
    if get_origin(thing) not in {Union, UnionType}:
        return []
    return [text for part in get_args(thing) for text in _alternatives(part) or [_type_name(part)]]


def _type_name(thing: Any) -> str:
    name = getattr(thing, "__name__", str(thing))
    home = docstrings.public_home(name)
    return f":py:obj:`{name} <{home}.{name}>`" if home else f"``{name}``"


@cache
def _attribute_docs(module: str) -> dict[str, list[str]]:
    docs = ModuleAnalyzer.for_module(module).find_attr_docs()
    return {name: lines for (scope, name), lines in docs.items() if not scope}

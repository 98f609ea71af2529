"""Docstrings are Markdown in the code, where people read them, and reStructuredText for autodoc."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import attrs
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.util.inspect import TypeAliasForwardRef

import voucherify_async
from voucherify_async import testing, webhooks
from voucherify_async.models import Model

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<![`:\w])`([^`]+)`(?!`)(\w?)")
_GOOGLE = Config(napoleon_use_rtype=False, napoleon_use_ivar=True)
_MODULES = (voucherify_async, webhooks, testing)


def connect(app: Sphinx) -> None:
    """Tell Sphinx how docstrings and signatures become pages."""
    app.connect("autodoc-process-docstring", _process)
    app.connect("autodoc-process-signature", _shorten)
    app.connect("autodoc-process-bases", _public_bases)
    app.connect("missing-reference", _resolve)
    app.connect("doctree-read", _leave_builtins)


def restructured(text: str) -> str:
    """A docstring's Markdown as reStructuredText."""
    text = _FENCE.sub(_block, text)
    return _CODE.sub(_inline, text)


def public_home(name: str) -> str | None:
    """The module that shows a public name, or None where there is none."""
    for module in _MODULES:
        if name in vars(module)["__all__"]:
            return module.__name__
    return None


def _process(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = restructured("\n".join(lines)).split("\n")
    # Napoleon takes what stands before a colon in an attribute's docstring for its type.
    if what not in {"attribute", "data", "property"}:
        lines[:] = _Docstring(lines, _GOOGLE, app, what, name, obj, options).lines()


def _name_alias(alias: TypeAliasForwardRef, name: object) -> None:
    alias.name = str(name)


def _alias_name(alias: TypeAliasForwardRef) -> str:
    return alias.name


# In signatures Sphinx wraps an alias once more, and in unions it shows its repr.
TypeAliasForwardRef.__init__ = _name_alias  # type: ignore[method-assign]
TypeAliasForwardRef.__repr__ = _alias_name  # type: ignore[method-assign]
TypeAliasForwardRef.__str__ = _alias_name  # type: ignore[method-assign]


class _Docstring(GoogleDocstring):
    def _consume_returns_section(self, preprocess_types: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002
        # Our signatures have the types: what stands before a colon is a part of the sentence.
        lines = self._dedent(self._consume_to_next_section())
        return [("", "", lines)] if lines else []


def _block(match: re.Match[str]) -> str:
    indent, language, content = match.groups()
    body = re.sub(r"^(?=.*\S)", "   ", content, flags=re.MULTILINE)
    return f"{indent}.. code-block:: {language or 'text'}\n\n{body}"


def _inline(match: re.Match[str]) -> str:
    text, glued = match.groups()
    home = public_home(text)
    if home != "voucherify_async" and text.islower():
        home = None  # `verify` is an argument more often than that of the webhooks
    code = f":py:obj:`{text} <{home}.{text}>`" if home else f"``{text}``"
    return f"{code}\\ {glued}" if glued else code


def _shorten(
    _app: Any, what: str, _name: str, obj: Any, _options: Any, signature: str | None, returns: Any
) -> tuple[str | None, Any] | None:
    if signature is None:
        return None
    if what in {"class", "exception"} and not _is_made_by_users(obj):
        return "", None
    return re.sub(r": ~?(typing\.)?Unpack\[[\w.~]+\]", "", signature), returns


def _is_made_by_users(cls: Any) -> bool:
    """Whether its signature is of use; that of a model is the list of its fields below."""
    if is_model(cls):
        return not issubclass(cls, Model)
    return "Args:" in (cls.__doc__ or "") or cls is testing.FakeVoucherify


def _public_bases(_app: Any, _name: str, _obj: Any, _options: Any, bases: list[Any]) -> None:
    bases[:] = [base for base in bases if _is_shown(base)]


def _is_shown(base: Any) -> bool:
    module, name = base.__module__, base.__name__
    return module == "builtins" or public_home(name) is not None


def _resolve(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """Find a public name that stands without its module, as in docstrings and signatures."""
    name = node.get("reftarget", "").rpartition(".")[2]
    home = public_home(name)
    if home is None or node.get("refdomain") != "py" or node["reftarget"] == f"{home}.{name}":
        return None
    domain = env.domains.python_domain
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", f"{home}.{name}", node, content
    )


def _leave_builtins(_app: Any, doctree: Any) -> None:
    """Not a link to one of the many fields of that name."""
    for node in list(doctree.findall(pending_xref)):
        name = node["reftarget"]
        if name in {"object", "type"} and node["reftype"] == "class":
            node.replace_self(nodes.Text(name))


def is_model(thing: Any) -> bool:
    """Whether it is a class of attrs."""
    return inspect.isclass(thing) and attrs.has(thing)

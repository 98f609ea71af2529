"""Each operation of the official SDK beside what does it here."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from attrs import frozen

from voucherify_async import resources
from voucherify_async._protocol import routes
from voucherify_async._protocol.route import Route

DATA = Path(__file__).parents[1] / "_data" / "sdk_operations.json"

# What a route does not show: these send to an address that an answer named.
_DOWNLOADS = {"download_export": "exports.download"}


@frozen
class Operation:
    """One operation of the official SDK."""

    api: str
    name: str
    method: str
    path: str
    required: list[str]
    sends: str

    @property
    def call(self) -> str:
        """The SDK's call."""
        return f"{self.name}({', '.join(self.required)})"

    @property
    def ours(self) -> str | None:
        """The method of the client that does the same, such as `vouchers.get`."""
        return _DOWNLOADS.get(self.name) or _METHODS.get((self.method, _shape(self.path)))

    @property
    def our_call(self) -> str:
        """What to write in place of it."""
        if self.ours is not None:
            return f"client.{self.ours}({', '.join(_required(self.ours))})"
        sent = {"json": ", json=body", "file": ", files=files"}.get(self.sends, "")
        path = re.sub(r"\{(\w+)\}", _as_placeholder, self.path)
        quotes = 'f"' if "{" in path else '"'
        return f'client.request("{self.method}", {quotes}{path}"{sent})'


def operations() -> list[Operation]:
    """Every operation of the SDK."""
    return [Operation(**entry) for entry in json.loads(DATA.read_text())["operations"]]


def sdk_version() -> str:
    """The SDK's version that the operations are of."""
    version: str = json.loads(DATA.read_text())["version"]
    return version


def summary() -> str:
    """How much of the SDK has a method here, in Markdown."""
    listed = operations()
    own = sum(operation.ours is not None for operation in listed)
    return (
        f"All {len(listed)} operations of `voucherify` {sdk_version()}, read from its source. "
        f"{own} have a method here, which is linked; {len(listed) - own} go through `request`.\n"
    )


def tables() -> Iterator[tuple[str, str]]:
    """For each class of the SDK its name and a Markdown table of its operations."""
    for api, found in groupby(operations(), lambda operation: operation.api):
        rows = [f"| `{op.call}` | {_linked(op)} |" for op in found]
        yield api, "\n".join((f"| `{api}` | here |", "| --- | --- |", *rows))


def _linked(operation: Operation) -> str:
    if operation.ours is None:
        return f"`{operation.our_call}`"
    target = f"{namespaces()[operation.ours.partition('.')[0]]}.{operation.ours.partition('.')[2]}"
    return f"{{py:meth}}`{operation.our_call} <voucherify_async.resources.{target}>`"


def route_names() -> set[str]:
    """The names of the methods that have a route of their own."""
    return set(_METHODS.values())


def namespaces() -> Mapping[str, str]:
    """The name of each namespace's class, by the namespace."""
    names = [name for name in vars(resources) if inspect.isclass(getattr(resources, name))]
    return {_snake(name): name for name in names}


def _required(method: str) -> Iterator[str]:
    namespace, _, name = method.partition(".")
    function: Any = getattr(getattr(resources, namespaces()[namespace]), name)
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD:
            is_keyword = parameter.kind is parameter.KEYWORD_ONLY
            yield f"{parameter.name}=..." if is_keyword else parameter.name


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _as_placeholder(match: re.Match[str]) -> str:
    return "{" + _snake(match[1]) + "}"


_METHODS = {
    (route.method, _shape(route.template)): route.name
    for route in vars(routes).values()
    if isinstance(route, Route) and not route.name.startswith("oauth.")
}

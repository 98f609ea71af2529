"""The operations of the official SDK, read from its source.

`python -m tests.docs.sdk_operations` writes them to `docs/_data/sdk_operations.json`, so that the
documentation is built without the SDK.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "docs" / "_data" / "sdk_operations.json"
_TWINS = ("_with_http_info", "_without_preload_content")


def operations() -> dict[str, Any]:
    """Every operation of the installed SDK: where it is, and what it has to be given.

    Read and not imported: the SDK takes seconds to load.
    """
    package = find_spec("voucherify")
    assert package is not None
    assert package.origin is not None
    modules = sorted((Path(package.origin).parent / "api").glob("*_api.py"))
    return {
        "version": version("voucherify"),
        "operations": [found for module in modules for found in _operations_in(module)],
    }


def text() -> str:
    """The data file as it has to be."""
    found = operations()
    lines = ",\n".join(f"  {json.dumps(operation)}" for operation in found["operations"])
    return f'{{\n "version": "{found["version"]}",\n "operations": [\n{lines}\n ]\n}}\n'


def _operations_in(module: Path) -> Iterator[dict[str, Any]]:
    (api,) = (n for n in ast.parse(module.read_text()).body if isinstance(n, ast.ClassDef))
    methods = {n.name: n for n in api.body if isinstance(n, ast.FunctionDef)}
    for name, method in methods.items():
        if name.startswith("_") or name.endswith(_TWINS):
            continue
        serialize = methods[f"_{name}_serialize"]
        request = _request_of(serialize)
        arguments = method.args
        required = len(arguments.args) - len(arguments.defaults)
        yield {
            "api": api.name,
            "name": name,
            "method": request["method"],
            "path": request["resource_path"],
            "required": [argument.arg for argument in arguments.args[1:required]],
            "sends": _sent_by(serialize),
        }


def _request_of(serialize: ast.FunctionDef) -> dict[str, str]:
    (call,) = (
        node.value
        for node in serialize.body
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call)
    )
    return {
        keyword.arg: str(keyword.value.value)
        for keyword in call.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant)
    }


def _sent_by(serialize: ast.FunctionDef) -> str:
    """What the operation has for a body: `json`, `file`, or nothing."""
    filled = {
        ast.unparse(target)
        for node in ast.walk(serialize)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name)
        for target in node.targets
    }
    if "_files['file']" in filled:
        return "file"
    return "json" if "_body_params" in filled else ""


if __name__ == "__main__":
    DATA.write_text(text())

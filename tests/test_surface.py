"""What the package shows, what it loads, and what it must not."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib import resources
from itertools import chain
from pathlib import Path

import pytest

import voucherify_async

PACKAGE = Path(voucherify_async.__file__).parent
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if "testing" not in path.parts]
OPTIONAL = ("starlette", "uvicorn", "python_multipart", "multipart", "respx", "pytest", "trio",
            "aiohttp", "pyreqwest", "typer", "rich", "httpx_aiohttp", "httpx2",
            "pydantic", "pydantic_core", "redis")  # fmt: skip


LOADED = f"print({set(OPTIONAL)!r} & (sys.modules.keys() - before))"


def run(code: str) -> str:
    """Run Python code in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_public_names() -> None:
    """`__all__` is sorted, complete, and every name in it is there with a docstring of its own."""
    names: list[str] = vars(voucherify_async)["__all__"]
    assert list(names) == sorted(names)
    assert len(set(names)) == len(names)
    namespace: dict[str, object] = {}
    exec("from voucherify_async import *", namespace)
    assert set(names) <= set(namespace)
    for name in names:
        thing = getattr(voucherify_async, name)
        if isinstance(thing, type):
            assert thing.__doc__, name
    assert set(names) <= set(dir(voucherify_async))
    assert "Voucher" in dir(voucherify_async.models)


def test_typed() -> None:
    """The package says that it is typed, and has a version."""
    assert resources.files("voucherify_async").joinpath("py.typed").is_file()
    assert voucherify_async.__version__.count(".") == 2


def test_import_needs_no_extra() -> None:
    """Importing the package loads no optional dependency, and works where none is installed."""
    blocked = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in OPTIONAL)
    code = (
        "from voucherify_async import *\n"
        "c = AsyncVoucherify('id', 'token')\n"
        "c.vouchers, c.transactions, c.imports, c.async_actions, c.exports\n"
        "print(c)"
    )
    assert run(blocked + code).startswith("AsyncVoucherify(base_url='https://api")
    # httpx itself loads what its own command line needs, where that is installed.
    code = f"import httpx, sys\nbefore = set(sys.modules)\nimport voucherify_async\n{LOADED}"
    assert run(code) == "set()"


def test_embedded_server_names_its_extra() -> None:
    """Where the extra is missing, asking for the embedded server says what to install."""
    code = (
        "import sys\nsys.modules['starlette'] = None\nimport voucherify_async.testing as t\n"
        "try:\n    t.FakeVoucherify\nexcept ImportError as error:\n    print(error)"
    )
    assert "voucherify-async[testing]" in run(code)


def imported(path: Path) -> set[str]:
    """The top-level names of the modules that a source file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


def test_few_modules_bind_themselves_to_asyncio() -> None:
    """The package runs on asyncio and on trio: only what is for asyncio alone imports it."""
    bound = {str(path.relative_to(PACKAGE)) for path in SOURCES if "asyncio" in imported(path)}
    transport = ("aiohttp_connections", "asyncio_stream", "pyreqwest_errors", "pyreqwest_stalls")
    assert bound == {f"_transport/{name}.py" for name in transport} | {
        "_concurrency/asyncio_tasks.py"
    }


def test_few_modules_know_the_http_client() -> None:
    """Outside the embedded server only the transport imports an HTTP library, or its types."""
    libraries = {"httpx", "httpcore", "httpx2", "httpcore2", "aiohttp", "pyreqwest"}
    knowing = {str(path.relative_to(PACKAGE)) for path in SOURCES if libraries & imported(path)}
    outside = {path for path in knowing if not path.startswith("_transport/")}
    assert outside <= {"client.py", "testing/demo.py", "testing/fake.py"}


def test_every_import_is_a_declared_dependency() -> None:
    """Every module that the package imports comes with Python or with a dependency of ours."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    stated = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {re.split(r"[^A-Za-z0-9_-]", entry)[0].replace("-", "_") for entry in stated}
    names.add("opentelemetry")  # of opentelemetry-api
    used = set().union(*(imported(path) for path in SOURCES)) - sys.stdlib_module_names
    assert used - {"", "voucherify_async"} <= names | {"__future__"}


@pytest.mark.slow
def test_every_type_is_known() -> None:
    """pyright knows each type that a strict user can meet.

    It calls those of `with_raw_response` ambiguous, as no annotation repeats the signature that
    they take over; tests/typing holds both checkers to the same.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--verifytypes", "voucherify_async", "--ignoreexternal",
         "--outputjson"],
        check=False, capture_output=True, text=True, cwd=PACKAGE.parent,
    )  # fmt: skip
    report = json.loads(done.stdout)["typeCompleteness"]
    assert len(report["symbols"]) > 3_000
    unknown = {symbol["name"] for symbol in report["symbols"] if not symbol["isTypeKnown"]}
    twin = re.compile(r"voucherify_async\.resources\.\w+\.Raw\w+(\.\w+)?")
    assert {name for name in unknown if not twin.fullmatch(name)} == set()

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from voucherify_async import AsyncVoucherify, __version__
from voucherify_async.testing import FakeVoucherify, demo

from ..bulk.conftest import Skipping
from .conftest import TIMEOUT, Call, Command

SERVER = """
import sys
from voucherify_async.testing.__main__ import main
sys.exit(main())
"""
WITH_EXTRA = """
import sys
from voucherify_async.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
WITHOUT_EXTRA = f"""
import sys
sys.modules["typer"] = sys.modules["rich"] = None
{WITH_EXTRA}
"""


def python(bare: Command, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program with Python."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=dict(bare.environment),
        cwd=bare.folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_tells_the_commands_and_the_exit_codes(bare: Command, call_alone: Call) -> None:
    """--help, and no argument at all, name every command and what the exit codes mean."""
    told, alone = bare("--help"), call_alone()
    assert told.code == alone.code == 0
    assert told.out == alone.out
    for name in (
        "demo",
        "get",
        "list",
        "import",
        "balance",
        "redeem",
        "rollback",
        "jobs",
        "export",
    ):
        assert f"\n  {name} " in told.out
    for code in ("0", "1", "2", "3", "4", "130", "141"):
        assert f"\n    {code:<3}  " in told.out


def test_the_version_is_told(call_alone: Call, bare: Command) -> None:
    """--version names the package and its version, with and without the extra `cli`."""
    told = call_alone("--version").out
    assert told == f"voucherify-async {__version__}\n"
    assert python(bare, WITHOUT_EXTRA, "--version").stdout == told


def test_missing_credentials_are_told_in_a_line(
    call_alone: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials in the environment, a line says which variables to set."""
    monkeypatch.delenv("VOUCHERIFY_APP_TOKEN")
    ended = call_alone("get", "SAVE")
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert "VOUCHERIFY_APP_TOKEN" in ended.err
    assert "VOUCHERIFY_APP_ID" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["get"],
        ["list", "--output", "yaml"],
        ["list", "--limit", "0"],
        ["list", "--created-after", "yesterday"],
        ["list", "--all", "--order", "code"],
        ["jobs", "--wait"],
        ["export"],
        ["balance", "CARD", "10.50"],
        ["balance", "CARD", "0"],
        ["balance", "CARD", "1_000"],
        ["import", "missing.csv"],
        ["import", "."],
        ["export", "transactions", "CARD", "-o", "no/such/folder.csv"],
    ],
)
def test_wrong_usage_is_told_in_a_line(call_alone: Call, arguments: list[str]) -> None:
    """Wrong usage ends with exit code 2 and one line on stderr, before anything is sent."""
    ended = call_alone(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert ended.err.startswith("voucherify-async: ")


def test_an_api_error_is_told_in_a_line(call: Call, fake: FakeVoucherify) -> None:
    """Where the API refuses, exit code 3 and a line say so."""
    fake.faults.status(401, body="<html>\n<p>no\n</html>")
    ended = call("jobs")
    assert ended.code == 3
    assert len(ended.err.splitlines()) == 1


def test_the_demo_shows_the_main_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo imports, looks up, lists, moves money and checks out, and says what came of it."""
    lines: list[str] = []
    monkeypatch.setattr(demo, "LOOKUPS", 50)
    monkeypatch.setattr(demo, "AsyncVoucherify", partial(AsyncVoucherify, clock=Skipping()))
    demo.run(lines.append, tmp_path)
    for told in (
        "  11 imported, 0 refused",
        "  50 vouchers found",
        "  60 DISCOUNT_VOUCHER, 1 GIFT_VOUCHER",
        "  balance 125.50, then 115.50",
    ):
        assert told in lines
    assert any(line.startswith("  transactions.csv: 2 rows, ") for line in lines)
    assert lines[-1].endswith(": 200.00 on it again")


@pytest.mark.slow
def test_the_demo_needs_no_account(bare: Command) -> None:
    """`demo` runs the main job without any setting, and without typer and rich too."""
    process = bare.start("demo")
    without_extra = python(bare, WITHOUT_EXTRA, "demo")
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (without_extra.returncode, without_extra.stderr) == (0, "")
    assert "1,000 lookups at once" in out
    assert "1,000 lookups at once" in without_extra.stdout
    assert re.search(r"r_\w+: 0\.00 left to pay, 150\.00 on it", out)
    assert re.search(r"rr_\w+: 200\.00 on it again", out)


def test_without_the_extra_other_commands_name_it(bare: Command) -> None:
    """Without typer and rich, any other command says what to install, and so does none."""
    for arguments in (["get", "SAVE"], []):
        other = python(bare, WITHOUT_EXTRA, *arguments)
        assert (other.returncode, other.stdout) == (2, "")
        assert 'pip install "voucherify-async[cli]"' in other.stderr
        assert "Traceback" not in other.stderr


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (WITH_EXTRA, ["demo"]),
        (WITH_EXTRA, ["serve"]),
        (WITHOUT_EXTRA, ["demo"]),
        (SERVER, ["--port", "0"]),
    ],
)
def test_without_the_embedded_server_its_commands_name_the_extra(
    bare: Command, program: str, arguments: list[str]
) -> None:
    """Without the extra `testing`, what serves says in a line what to install."""
    missing = 'import sys\nsys.modules["uvicorn"] = sys.modules["starlette"] = None'
    ended = python(bare, f"{missing}\n{program}", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert 'pip install "voucherify-async[testing]"' in ended.stderr

from __future__ import annotations

import json
import re
import signal

import pytest

from voucherify_async.testing import FakeVoucherify

from .conftest import TIMEOUT, Command
from .support import Terminal, wait_for

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|38;[0-9;]+|9[0-7])m")


def plain(seen: str) -> list[str]:
    """The lines that appeared, without what draws them."""
    return ESCAPES.sub("", seen).splitlines()


def test_a_bar_is_drawn_on_the_terminal_alone(command: Command, fake: FakeVoucherify) -> None:
    """Where stderr is a terminal, long work draws a bar there, and stdout has the data alone."""
    fake.add_vouchers({"code": f"C-{number:03}"} for number in range(300))
    stall = fake.faults.stall(path="vouchers", after=2)
    arguments = ("list", "--limit", "300", "--output", "jsonl")
    with Terminal() as terminal, (command.folder / "out.jsonl").open("w") as out:
        process = terminal.start(command, *arguments, stdout=out.fileno())
        terminal.read_to("200/300")
        stall.release()
        terminal.read_all()
        assert process.wait(TIMEOUT) == 0
    lines = (command.folder / "out.jsonl").read_text().splitlines()
    assert len({json.loads(line)["code"] for line in lines}) == 300


def test_ctrl_c_in_a_terminal_leaves_it_in_order(command: Command, fake: FakeVoucherify) -> None:
    """Ctrl-C beneath a bar is exit code 130 and one line, and the cursor is shown again."""
    stall = fake.faults.stall(path="vouchers")
    with Terminal() as terminal:
        process = terminal.start(command, "list")
        wait_for(lambda: stall.waiting)
        terminal.read_to("listing")
        process.send_signal(signal.SIGINT)
        seen = terminal.read_all()
        stall.release()
        assert process.wait(TIMEOUT) == 130
    assert "Traceback" not in seen
    assert plain(seen)[-1] == "voucherify-async: interrupted"
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l")


@pytest.mark.parametrize("columns", [80, pytest.param(200, marks=pytest.mark.slow)])
def test_a_table_fits_the_terminal(command: Command, fake: FakeVoucherify, columns: int) -> None:
    """A table is no wider than the terminal, loses nothing, and obeys no escape in its data."""
    fake.add_voucher(code="LONG-" + "X" * 90, category="a\x1b[31mb\x9b2J", metadata={"k": "v"})
    with Terminal(columns) as terminal:
        process = terminal.start(command.with_environment(NO_COLOR="1"), "list")
        seen = terminal.read_all()
        assert process.wait(TIMEOUT) == 0
    assert "\x9b" not in seen
    assert not COLOURS.search(seen)
    lines = plain(seen)
    assert max(map(len, lines)) <= columns
    assert sum(line.split(" ")[0].count("X") for line in lines) == 90
    assert any(r"a\x1b[31mb\x9b2J" in line for line in lines)
    assert ("created" in "".join(lines)) == (columns == 200)


def test_serve_serves_until_ctrl_c(command: Command) -> None:
    """`serve` tells the settings to use, serves the vouchers asked for, and ends with Ctrl-C."""
    process = command.start("serve", "--port", "0", "--vouchers", "7")
    assert process.stdout is not None
    told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
    ended = command.with_environment(**told)("list", "--output", "jsonl")
    assert len(ended.lines) == 7
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, len(err.splitlines())) == (0, 1)
    assert "export these" in err

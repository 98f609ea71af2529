"""Every command of the documentation: ours run against the embedded server, others are known."""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

import pytest
from attrs import frozen

from voucherify_async.__main__ import main

from .pages import ROOT, Block, all_blocks
from .running import served_shop

BLOCKS = all_blocks("console", "sh", "bash", "shell")
OURS = ("voucherify-async", "python -m voucherify_async")
# What starts a process that runs on, or changes the reader's machine: read, and not run.
OTHERS = frozenset({
    "arq", "cd", "celery", "git", "lint-imports", "mypy", "pip", "pyright", "python", "python3",
    "ruff", "taskiq", "uvicorn",
})  # fmt: skip
SERVERS = frozenset({"serve", "demo"})
EXPORTABLE = re.compile(r"VOUCHERIFY_(APP_ID|APP_TOKEN|BASE_URL|LOG)|SSL_CERT_FILE|HTTPS_PROXY")


@frozen
class Command:
    """A command of a page, and what the page says that it writes."""

    text: str
    output: list[str]

    @property
    def arguments(self) -> list[str] | None:
        """The arguments of ours; None of another program."""
        words = shlex.split(self.text.removeprefix("cat codes.txt | "), comments=True)
        for ours in OURS:
            name = ours.split()
            if words[: len(name)] == name:
                return words[len(name) :]
        return None


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block; those with a prompt are followed by their output."""
    text = re.sub(r"\\\n\s*", "", block.text)
    lines = [line for line in text.splitlines() if line.strip()]
    if not any(line.startswith("$ ") for line in lines):
        yield from (Command(line, []) for line in lines if not line.startswith("#"))
        return
    found: list[Command] = []
    for line in lines:
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        else:
            found[-1].output.append(line)
    yield from found


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_block(block: Block) -> None:
    """Commands of ours run and write what the page shows; others are programs that are known."""
    with served_shop() as (fake, _):
        exec(block.given, {"fake": fake})
        for command in commands(block):
            arguments = command.arguments
            if arguments is None:
                check_other(command.text)
            elif arguments and arguments[0] in SERVERS:
                run([arguments[0], "--help"])
            else:
                _check_output(command, run(arguments))


def run(arguments: list[str]) -> str:
    """What a command of ours writes; that it is used rightly is held by its exit code."""
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with (
        redirect_stdout(written),
        redirect_stderr(written),
        patch.object(sys, "stdin", io.StringIO("SUMMER-10\n")),  # what stands before a pipe
        patch.dict(os.environ, {"COLUMNS": "100"}),
    ):
        code = main(_without_redirection(arguments))
    written.seek(0)
    text = written.read()
    assert code in {0, 1}, text
    return text


def _without_redirection(arguments: list[str]) -> list[str]:
    for sign in ("|", ">", "2>"):
        if sign in arguments:
            arguments = arguments[: arguments.index(sign)]
    return arguments


def _check_output(command: Command, written: str) -> None:
    lines = iter([" ".join(line.split()) for line in written.splitlines()])
    for told in command.output:
        pattern = ".*".join(re.escape(" ".join(part.split())) for part in told.split("..."))
        assert any(re.search(pattern, line) for line in lines), f"{told!r} is not in {written!r}"


def check_other(text: str) -> None:
    """A program that is known, and extras that exist."""
    words = shlex.split(text, comments=True)
    if words[0] == "export":
        for word in words[1:]:
            assert EXPORTABLE.fullmatch(word.partition("=")[0]), f"{word} is read by nobody"
        return
    assert words[0].removeprefix(".venv/bin/") in OTHERS, (
        f"say in test_shell_blocks.py what {words[0]} is"
    )
    for word in words:
        for extra in re.findall(r"(?:voucherify-async|\.)\[([\w,]+)\]", word):
            assert set(extra.split(",")) <= extras(), f"{word}: there is no such extra"


def extras() -> set[str]:
    """The extras of the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return set(project["optional-dependencies"])

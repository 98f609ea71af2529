"""The commands of `voucherify-async`, as their own `--help` tells them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any
from unittest.mock import patch

import typer.main

from voucherify_async.__main__ import main
from voucherify_async.cli.app import app


def names() -> Iterator[str]:
    """Every command."""
    yield from _below("", typer.main.get_command(app))


def sections() -> Iterator[str]:
    """A Markdown section for each command."""
    for name in names():
        yield f"### `{name}`\n\n```text\n{_help(name)}\n```\n"


def _below(path: str, group: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        full = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from _below(full, command)
        else:
            yield full


def _help(name: str) -> str:
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(written), patch.dict(os.environ, {"COLUMNS": "80"}):
        main([*name.split(), "--help"])
    written.seek(0)
    return written.read().strip()

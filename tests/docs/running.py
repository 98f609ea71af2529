"""Runs a page's Python blocks, one after another in one namespace, as a reader would."""

from __future__ import annotations

import ast
import inspect
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import anyio

from voucherify_async import AsyncVoucherify
from voucherify_async.testing import FakeVoucherify

from .pages import ROOT, Block, blocks
from .shop import shop

_FILE = re.compile(r"# (\w+\.py)\n")
_TOLD = re.compile(r"^\s*(?:print\(.*)?\)  # (.+)$", re.MULTILINE)
_OWN_LOOP = re.compile(r"\b(asyncio|anyio|trio|uvloop)\.run\(")


def environment(url: str) -> dict[str, str]:
    """What `AsyncVoucherify()` without arguments reads."""
    return {
        "VOUCHERIFY_BASE_URL": url,
        "VOUCHERIFY_APP_ID": "...",
        "VOUCHERIFY_APP_TOKEN": "...",
    }


@contextmanager
def served_shop() -> Iterator[tuple[FakeVoucherify, Path]]:
    """The shop on a loopback port, where the environment points, and an empty folder to be in."""
    fake, back = shop(), Path.cwd()
    with fake.serve() as url, TemporaryDirectory() as folder, patch.dict(os.environ):
        os.environ.update(environment(url))
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            yield fake, Path(folder)
        finally:
            sys.path.remove(folder)
            os.chdir(back)
            fake.faults.clear()


@cache
def outcomes(page: Path) -> Mapping[int, BaseException | None]:
    """What became of each Python block of a page, by its line."""
    with served_shop() as (fake, folder):
        run = _Run(fake, folder)
        anyio.run(run.page, page)
        return run.outcomes


class _Run:
    def __init__(self, fake: FakeVoucherify, folder: Path) -> None:
        self._fake = fake
        self._folder = folder
        self._names: dict[str, Any] = {"__name__": "__docs__", "fake": fake}
        self.outcomes: dict[int, BaseException | None] = {}

    async def page(self, page: Path) -> None:
        failed: str | None = None
        async with AsyncVoucherify() as client:
            self._names["client"] = client
            for block in blocks(page):
                if block.language != "python":
                    continue
                if failed:
                    self.outcomes[block.line] = AssertionError(f"{failed} failed before it")
                    continue
                try:
                    await self._block(block)
                    self.outcomes[block.line] = None
                except (Exception, SystemExit) as error:  # noqa: BLE001 - told by the test
                    failed = block.name
                    self.outcomes[block.line] = error

    async def _block(self, block: Block) -> None:
        await self._execute(block.given, f"given for {block.name}")
        # Padded, so that a traceback shows the line of the page.
        source = "\n" * (block.line - 1) + block.text
        if block.not_run:
            _compiled(source, str(block.page))
            return
        file = _FILE.match(block.text)
        if file:
            (self._folder / file[1]).write_text(block.text)
            if file[1].startswith("test_"):
                await anyio.to_thread.run_sync(_pytest, self._folder, file[1])
                return
        written = io.StringIO()
        with redirect_stdout(written):
            await self._execute(source, str(block.page))
        _check_output(block.text, written.getvalue())

    async def _execute(self, source: str, name: str) -> None:
        code = _compiled(source, name)
        if code.co_flags & inspect.CO_COROUTINE:
            await eval(code, self._names)
        elif _OWN_LOOP.search(source):
            await anyio.to_thread.run_sync(exec, code, self._names)
        else:
            exec(code, self._names)


def _compiled(source: str, name: str) -> Any:
    # As a module of its own: not with the `__future__` imports of this one.
    return compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def _check_output(source: str, written: str) -> None:
    """A comment behind a `print` says what is printed, `...` standing for anything."""
    lines = iter(written.splitlines())
    for told in _TOLD.findall(source):
        pattern = ".*".join(map(re.escape, told.split("...")))
        found = any(re.fullmatch(pattern, line) for line in lines)
        assert found, f"{told!r} was not printed, but: {written!r}"


def _pytest(folder: Path, file: str) -> None:
    plugins = ("-p", "anyio", "-p", "pytest_voucherify_async", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, file],
        cwd=folder,
        # None of the others that are installed here, each of which takes its time to load.
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

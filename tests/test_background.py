"""Tasks beside their caller, which may be dropped at any moment."""

from __future__ import annotations

import contextvars

import anyio
import anyio.lowlevel
import pytest

from voucherify_async._concurrency.background import BackgroundTask

from .resources.support import settle

pytestmark = pytest.mark.anyio

NAME = contextvars.ContextVar("NAME", default="nobody")


async def test_result_waits_to_be_asked_for() -> None:
    """The work runs at once, in its caller's context, and its result can be asked for late."""
    steps: list[str] = []

    async def work() -> str:
        steps.append(NAME.get())
        await anyio.lowlevel.checkpoint()
        return "done"

    NAME.set("caller")
    task = BackgroundTask(work)
    await settle()
    assert steps == ["caller"]
    assert await task.result() == "done"
    assert await task.result() == "done"


async def test_error_waits_to_be_asked_for() -> None:
    """An error of the work disturbs nobody until its result is asked for."""

    async def work() -> None:
        raise KeyError("late")

    task = BackgroundTask(work)
    await settle()
    with pytest.raises(KeyError, match="late"):
        await task.result()


@pytest.mark.parametrize("begun", [True, False])
async def test_cancelled_work_ends(begun: bool) -> None:
    """Cancelled work ends where it waits, or before it begins to, and cleans up after itself."""
    steps: list[str] = []

    async def work() -> None:
        steps.append("begun")
        try:
            await anyio.sleep_forever()
        finally:
            steps.append("ended")

    task = BackgroundTask(work)
    if begun:
        await settle()
    task.cancel()
    await settle()
    assert steps == ["begun", "ended"]
    task.cancel()


async def test_cancelling_from_another_thread() -> None:
    """A finalizer may run in any thread; the work ends all the same."""
    ended = anyio.Event()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    task = BackgroundTask(work)
    await settle()
    await anyio.to_thread.run_sync(task.cancel)
    with anyio.fail_after(5):
        await ended.wait()


def test_cancelling_after_the_end(anyio_backend: str) -> None:
    """Work of an event loop that has ended can still be dropped."""

    async def sleep() -> None:
        await anyio.sleep_forever()

    async def begin() -> BackgroundTask[None]:
        task = BackgroundTask(sleep)
        await settle()
        return task

    anyio.run(begin, backend=anyio_backend).cancel()

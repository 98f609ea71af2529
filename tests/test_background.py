"""Tasks beside their caller, which may be dropped at any moment."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import pytest

from voucherify_async._concurrency.background import BackgroundTask
from voucherify_async.errors import BackgroundCancelledError
from voucherify_async.testing import FakeVoucherify

from .resources.support import settle

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

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


async def cancel_others() -> None:
    """Cancel every other task of asyncio, as shutdown code does."""
    current = asyncio.current_task()
    for task in asyncio.all_tasks():
        # The one that runs the tests lives longer than a test.
        if task is not current and "_run" in repr(task.get_coro()) and "Background" in repr(task):
            task.cancel()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("begun", [True, False])
async def test_task_cancelled_from_outside(begun: bool) -> None:
    """A task that somebody else cancels, even before its first step, ends with an error."""
    ends: list[Exception | None] = []
    task = BackgroundTask(anyio.sleep_forever, ends.append)
    if begun:
        await settle()
    await cancel_others()
    with anyio.fail_after(5), pytest.raises(BackgroundCancelledError):
        await task.result()
    await task.ended()
    assert [type(end) for end in ends] == [BackgroundCancelledError]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("use", ["walk", "pages", "iterate", "collect", "feed"])
async def test_cancelled_from_outside(use: str, begun: bool) -> None:
    """Whatever its tasks were doing, a use raises in the end: never short, never for ever."""
    fake = FakeVoucherify()
    fake.add_vouchers({"code": f"A{i:02}"} for i in range(40))
    async with fake, fake.client(retry=None) as client:
        lookups = client.vouchers.get_many
        codes = [f"A{i:02}" for i in range(40)]

        async def come() -> AsyncIterator[str]:
            for code in codes:
                await anyio.lowlevel.checkpoint()
                yield code

        async def work() -> int:
            if use == "walk":
                return len([v async for v in client.vouchers.list(limit=5)])
            if use == "pages":
                return sum([len(p) async for p in client.vouchers.list_all(limit=5).pages()])
            if use == "iterate":
                return len([v async for v in lookups(codes, concurrency=3)])
            return len(await lookups(come() if use == "feed" else codes, concurrency=3))

        for steps in range(3, 60, 4 if begun else 5):
            outcome: list[object] = []

            async def run(outcome: list[object] = outcome) -> None:
                try:
                    outcome.append(await work())
                except BackgroundCancelledError as error:
                    outcome.append(error)

            with anyio.fail_after(5):
                async with anyio.create_task_group() as group:
                    group.start_soon(run)
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    await cancel_others()
            assert outcome[0] == 40 or isinstance(outcome[0], BackgroundCancelledError)
            await settle()
            left = [task for task in asyncio.all_tasks() if "Background" in repr(task)]
            assert left == []

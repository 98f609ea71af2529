"""What only asyncio has to be asked. Loaded where it runs, when there is something to ask."""

from __future__ import annotations

import asyncio


def is_being_cancelled() -> bool:
    """Whether the cancellation at hand is meant for the task that runs.

    On asyncio whoever waits for a task gets the cancellation of that task too.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def is_running(loop: object) -> bool:
    """Whether it is this event loop that runs in this thread."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False

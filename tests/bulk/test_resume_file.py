from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import orjson
import pytest

from voucherify_async import InvalidArgumentError, ResumeFile, ResumePoint
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

CARDS = [{"code": f"G-{n}", "type": "GIFT_VOUCHER", "gift": {"amount": 1}} for n in range(3)]


async def saved(path: Path, fake: FakeVoucherify, clock: Skipping) -> ResumeFile:
    """The file of an import whose answer is lost, and whose process has ended then."""
    file = ResumeFile(path, of={"input": "cards"})
    fake.faults.lose_answer(method="POST")

    async def save_and_end(report: Any) -> None:
        if not len(report.accepted):
            await file.save(report)

    async with fake:
        await fake.client(clock=clock).imports.stream(CARDS, on_progress=save_and_end)
    return file


async def test_an_import_goes_on_from_its_file(
    tmp_path: Path, fake: FakeVoucherify, clock: Skipping
) -> None:
    """What a file says is enough for another process, which sends nothing twice."""
    file = ResumeFile(tmp_path / "resume.json", of={"input": "cards"})
    assert file.load() is None
    file = await saved(file.path, fake, clock)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    again = ResumeFile(str(file.path), of={"input": "cards"})
    point = again.load()
    assert isinstance(point, ResumePoint)
    assert (point.index, point.unknown_until) == (0, 3)
    async with fake:
        stream = fake.client(clock=clock).imports.stream(CARDS, resume_from=point)
        report = await stream
        await again.save(report)
    assert report.done_count == 3
    assert sum(request.method == "POST" for request in fake.requests) == 1
    again.remove()
    again.remove()
    assert again.load() is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        orjson.dumps({"of": {}, "resume_from": {}, "checksum": "x"}),
        orjson.dumps({"of": {}, "resume_from": {}, "checksum": "x", "more": 1}),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """A file that no import wrote is refused with its path."""
    path = tmp_path / "resume.json"
    path.write_bytes(content)
    with pytest.raises(InvalidArgumentError, match=r"resume\.json"):
        ResumeFile(path).load()


@pytest.mark.parametrize("of", [None, {}, {"input": "others"}, {"input": "cards", "more": "x"}])
async def test_files_of_other_imports_are_refused(
    tmp_path: Path, fake: FakeVoucherify, clock: Skipping, of: dict[str, str] | None
) -> None:
    """A file is held against what the import is of, each key of it."""
    file = await saved(tmp_path / "resume.json", fake, clock)
    with pytest.raises(InvalidArgumentError, match="another import"):
        ResumeFile(file.path, of=of).load()


async def test_every_byte_counts(tmp_path: Path, fake: FakeVoucherify, clock: Skipping) -> None:
    """Each value that is changed by hand is noticed."""
    file = await saved(tmp_path / "resume.json", fake, clock)
    content = file.path.read_bytes()
    state = json.loads(content)
    for key, value in {"index": 1, "unknown_until": 2, "sent_at": "2020-01-01T00:00:00Z"}.items():
        changed = {**state, "resume_from": {**state["resume_from"], key: value}}
        file.path.write_text(json.dumps(changed))
        with pytest.raises(InvalidArgumentError, match="was changed"):
            file.load()
    file.path.write_bytes(content)
    assert file.load() is not None

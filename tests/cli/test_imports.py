from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from voucherify_async.testing import FakeVoucherify

from .conftest import TIMEOUT, Call, Command
from .support import sent, wait_for


def gift(code: str, **more: Any) -> dict[str, Any]:
    """A gift card to import."""
    return {"code": code, "type": "GIFT_VOUCHER", "gift": {"amount": 1}, **more}


def write_jsonl(path: Path, items: Iterable[dict[str, Any]]) -> None:
    """Write a file of items."""
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items))


def advice(err: str) -> list[str]:
    """The command that the last line says to go on with."""
    _, _, said = err.splitlines()[-1].partition("go on with: voucherify-async ")
    return shlex.split(said)


def test_a_csv_file_is_imported(call: Call, fake: FakeVoucherify) -> None:
    """A CSV file is imported; what was refused, and what is double, is told with its line."""
    Path("in.csv").write_text(
        "Code,Voucher Type,Value,Discount Type,note\n"
        'A,GIFT_VOUCHER,1050,,"two\nlines"\n'
        "B,DISCOUNT_VOUCHER,10,PERCENT,\n"
        "A,GIFT_VOUCHER,1,,\n"
        "C,DISCOUNT_VOUCHER,much,PERCENT,\n"
        "SAVE,DISCOUNT_VOUCHER,10,PERCENT,\n"
    )
    ended = call("import", "in.csv")
    assert (ended.code, ended.err) == (1, "")
    assert fake.vouchers["A"]["gift"]["amount"] == 1050
    assert fake.vouchers["A"]["metadata"] == {"note": "two\nlines"}
    assert "imported    2" in ended.lines
    assert "in.csv:5: A: has the same code as in.csv:2" in ended.lines
    assert any(line.startswith("in.csv:6: ") and "'much'" in line for line in ended.lines)
    assert any(line.startswith("in.csv:7: SAVE: ") for line in ended.lines)


def test_a_jsonl_file_is_imported(call: Call, fake: FakeVoucherify) -> None:
    """A file with an object a line is imported; all done is exit code 0, and JSON reports it."""
    write_jsonl(Path("in.jsonl"), (gift(f"G-{number}") for number in range(500)))
    ended = call("import", "in.jsonl", "--output", "json")
    assert (ended.code, ended.err) == (0, "")
    report = json.loads(ended.out)
    assert (report["read"], report["done_count"], report["failures"]) == (500, 500, [])
    assert len(sent(fake, "POST")) == 1


def test_into_a_campaign(call: Call, fake: FakeVoucherify) -> None:
    """--campaign imports into a campaign; where it does not exist, nothing was imported."""
    campaign = fake.add_campaign("Gifts", campaign_type="GIFT_VOUCHERS", type="STATIC")
    write_jsonl(Path("in.jsonl"), [{"code": "IN-CAMPAIGN", "gift": {"amount": 5}}])
    assert call("import", "in.jsonl", "--campaign", campaign["id"]).code == 0
    assert fake.vouchers["IN-CAMPAIGN"]["campaign"] == "Gifts"
    missing = call("import", "in.jsonl", "--campaign", "camp_none")
    assert missing.code == 1
    assert missing.err.endswith("nothing was imported\n")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("in.jsonl", '{"code": "A"}\n{"code"\n', "in.jsonl:2: "),
        ("in.jsonl", '{"code": "A"}\n[]\n', "in.jsonl:2: "),
        ("in.jsonl", "\n", "in.jsonl: "),
        ("in.csv", "Code;Value\nA;1\n", "in.csv: line 1 "),
        ("in.csv", "Code,Value\nA,1,2\n", "in.csv: line 2 "),
        ("in.csv", "Code,Value\n", "in.csv: "),
        ("in.xlsx", "PK", "in.xlsx: "),
    ],
)
def test_a_broken_file_is_refused_whole(
    call: Call, fake: FakeVoucherify, name: str, content: str, told: str
) -> None:
    """A file with a broken line is refused with the line's number, and nothing of it is sent."""
    Path(name).write_text(content)
    ended = call("import", name)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"voucherify-async: {told}")
    assert fake.requests == []


def test_resume_from_passes_items_over(call: Call, fake: FakeVoucherify) -> None:
    """--resume-from N passes over the first N items, and refuses more than there are."""
    write_jsonl(Path("in.jsonl"), [gift("G-0"), gift("G-1"), gift("G-2")])
    assert call("import", "in.jsonl", "--resume-from", "2").code == 0
    assert "G-2" in fake.vouchers
    assert not {"G-0", "G-1"} & set(fake.vouchers)
    for wrong in ("4", "no-such-file", "in.jsonl"):
        assert call("import", "in.jsonl", "--resume-from", wrong).code == 2


def test_a_failed_import_goes_on_where_it_ended(call: Call, fake: FakeVoucherify) -> None:
    """An import that the API breaks off says how to go on, and going on does nothing twice."""
    pad = "x" * 1_000_000
    items = [gift(f"G-{number}", metadata={"pad": pad}) for number in range(25)]
    write_jsonl(Path("in.jsonl"), items)
    fake.faults.status(403, method="POST", after=1)
    broken = call("import", "in.jsonl")
    assert broken.code == 3
    assert "accepted    9" in broken.lines
    changed = call(*advice(broken.err), "--campaign", "other")
    assert changed.code == 2
    ended = call(*advice(broken.err))
    assert ended.code == 0
    assert all(f"G-{number}" in fake.vouchers for number in range(25))
    assert sorted(path.name for path in Path().iterdir()) == ["in.jsonl"]


def test_an_interrupted_import_goes_on_where_it_ended(
    call: Call, command: Command, fake: FakeVoucherify
) -> None:
    """Ctrl-C ends an import with 130 and a report; going on settles what is unknown."""
    write_jsonl(command.folder / "in.jsonl", (gift(f"G-{number}") for number in range(50)))
    stall = fake.faults.stall(at="applied", method="POST")
    process = command.start("import", "in.jsonl")
    wait_for(lambda: stall.waiting)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT)
    stall.release()
    assert process.returncode == 130
    assert "unknown     50" in out.splitlines()
    assert err.startswith("voucherify-async: interrupted\n")
    ended = call(*advice(err))
    assert (ended.code, ended.err) == (0, "")
    assert "imported    50" in ended.lines
    assert len(sent(fake, "POST")) == 1


KILLED = [
    signal.SIGKILL,
    pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("number", KILLED)
def test_a_killed_import_goes_on_where_it_ended(
    call: Call, command: Command, fake: FakeVoucherify, number: signal.Signals
) -> None:
    """A process that is killed leaves a file by which nothing is lost or sent twice."""
    write_jsonl(command.folder / "in.jsonl", (gift(f"G-{number}") for number in range(50)))
    stall = fake.faults.stall(at="applied", method="POST")
    process = command.start("import", "in.jsonl")
    wait_for(lambda: stall.waiting)
    process.send_signal(number)
    process.communicate(timeout=TIMEOUT)
    stall.release()
    kept = command.folder / "in.jsonl.resume.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    again = call("import", "in.jsonl")
    assert (again.code, len(sent(fake, "POST"))) == (2, 1)
    ended = call(*advice(again.err))
    assert (ended.code, ended.err) == (0, "")
    assert "imported    50" in ended.lines
    assert len(sent(fake, "POST")) == 1
    assert not kept.exists()


def interrupted(call: Call, fake: FakeVoucherify, *options: str) -> Path:
    """An import of which one request was accepted; its resume file."""
    pad = "x" * 6_000_000
    write_jsonl(Path("in.jsonl"), [gift(f"G-{number}", metadata={"p": pad}) for number in (1, 2)])
    fake.faults.status(403, method="POST", after=1)
    assert call("import", "in.jsonl", *options).code == 3
    return Path("in.jsonl.resume.json")


def edit_input(kept: Path) -> None:
    """Change the input without changing its size."""
    path = Path("in.jsonl")
    path.write_text(path.read_text().replace("G-2", "G-3"))


def edit_index(kept: Path) -> None:
    """Let it pass over one item more."""
    kept.write_text(kept.read_text().replace('"index":1', '"index":2'))


def edit_campaign(kept: Path) -> None:
    """Say that it was of a campaign, checksum and all."""
    state = json.loads(kept.read_text())
    state["of"]["--campaign"] = "other"
    del state["checksum"]
    text = json.dumps(state, sort_keys=True, separators=(",", ":"))
    state["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    kept.write_text(json.dumps(state))


def cut_short(kept: Path) -> None:
    """Lose the end of it."""
    kept.write_bytes(kept.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (edit_input, "content of the file"),
        (edit_index, "was changed"),
        (edit_campaign, "--campaign"),
        (cut_short, "does not say"),
    ],
)
def test_a_resume_file_knows_its_import(
    call: Call, fake: FakeVoucherify, change: Callable[[Path], None], told: str
) -> None:
    """A resume file of another import, or one that was changed, is refused; nothing is sent."""
    kept = interrupted(call, fake)
    change(kept)
    count = len(fake.requests)
    refused = call("import", "in.jsonl", "--resume-from", str(kept))
    assert (refused.code, refused.out) == (2, "")
    assert told in refused.err
    assert len(fake.requests) == count


@pytest.mark.parametrize("name", ["VOUCHERIFY_APP_ID", "VOUCHERIFY_BASE_URL"])
def test_a_resume_file_knows_its_project(
    call: Call, fake: FakeVoucherify, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A resume file of another project or server is refused."""
    kept = interrupted(call, fake)
    monkeypatch.setenv(name, "http://127.0.0.1:2")
    refused = call("import", "in.jsonl", "--resume-from", str(kept))
    assert refused.code == 2
    assert "belongs to another import" in refused.err


def test_nothing_is_sent_where_it_cannot_be_kept(call: Call, fake: FakeVoucherify) -> None:
    """Without a place for the resume file the import does not begin."""
    write_jsonl(Path("in.jsonl"), [gift("G-1")])
    Path("in.jsonl.resume.json").symlink_to("nowhere")
    refused = call("import", "in.jsonl")
    assert refused.code == 2
    assert "in.jsonl.resume.json: is a symbolic link" in refused.err
    assert sent(fake, "POST") == []


def test_names_that_are_not_unicode(command: Command, fake: FakeVoucherify) -> None:
    """A file whose name is not valid Unicode is imported and told like any other."""
    name = os.fsdecode(b"in-\xff.jsonl")
    write_jsonl(command.folder / name, [gift("G-1"), gift("G-1")])
    ended = command("import", name)
    assert (ended.code, ended.err) == (1, "")
    assert any("in-" in line and "has the same code" in line for line in ended.lines)

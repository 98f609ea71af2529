from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from voucherify_async.testing import FakeVoucherify

from .conftest import TIMEOUT, Call, Command


def test_get_looks_up_many_in_order(call: Call) -> None:
    """`get` writes vouchers in the order of their codes, each once, and names those that miss."""
    ended = call("get", "CARD", "NO-SUCH", "SAVE", "CARD", "--output", "jsonl")
    assert [json.loads(line)["code"] for line in ended.lines] == ["CARD", "SAVE"]
    assert ended.code == 1
    assert ended.err == "voucherify-async: NO-SUCH: does not exist\n"


def test_get_reads_codes_from_stdin(call: Call, fake: FakeVoucherify) -> None:
    """With -, `get` reads codes from stdin; all found is exit code 0."""
    fake.add_vouchers({"code": f"C-{number:03}"} for number in range(300))
    codes = [f"C-{number:03}" for number in range(300)]
    ended = call("get", "-", "--output", "json", stdin="\n".join(codes))
    assert [voucher["code"] for voucher in json.loads(ended.out)] == codes
    assert (ended.code, ended.err) == (0, "")


def test_get_tells_an_api_error_apart_from_a_missing_code(call: Call, fake: FakeVoucherify) -> None:
    """A refused lookup is exit code 3, while the other codes are still written."""
    fake.faults.status(403, path="CARD", times=None)
    ended = call("get", "CARD", "SAVE", "NO-SUCH", "--output", "jsonl")
    assert ended.code == 3
    assert [json.loads(line)["code"] for line in ended.lines] == ["SAVE"]


def test_one_voucher_is_shown_in_full(call: Call) -> None:
    """A single code is shown as names and values rather than as a table."""
    ended = call("get", "CARD")
    assert "value     10000 of 10000" in ended.lines
    assert "type      gift" in ended.lines


def test_list_says_that_there_is_more(call: Call, fake: FakeVoucherify) -> None:
    """`list` writes 100 vouchers unless told otherwise, and says on stderr that there are more."""
    fake.add_vouchers({"code": f"C-{number:03}"} for number in range(150))
    assert len(call("list").lines) == 101
    ended = call("list", "--limit", "120", "--output", "jsonl")
    assert len(ended.lines) == 120
    assert "120 of 152 vouchers" in ended.err
    assert call("list", "--max", "152").err == ""


def test_list_all_lists_every_voucher(call: Call, fake: FakeVoucherify) -> None:
    """`list --all` lists every voucher, page after page."""
    fake.add_vouchers({"code": f"C-{number}"} for number in range(300))
    everything = call("list", "--all", "--output", "jsonl")
    assert len({json.loads(line)["code"] for line in everything.lines}) == 302
    assert everything.code == 0


@pytest.mark.slow
def test_list_all_goes_past_the_ceiling(call: Call, fake: FakeVoucherify) -> None:
    """`list --all` lists every voucher; without it the ceiling is told, and the way past it."""
    fake.add_vouchers({"code": f"C-{number:05}"} for number in range(10_000))
    everything = call("list", "--all", "--output", "jsonl")
    assert len({json.loads(line)["code"] for line in everything.lines}) == 10_002
    assert everything.code == 0
    short = call("list", "--limit", "10000", "--output", "jsonl")
    assert short.code == 2
    assert "9,900" in short.err
    assert "--all" in short.err


def test_list_passes_its_filters_on(call: Call, fake: FakeVoucherify) -> None:
    """Every filter of `list` is sent as the API names it; nothing found is said on stderr."""
    ended = call(
        *("list", "--category", "a b", "--campaign", "c", "--campaign-id", "camp_1"),
        *("--customer", "cust_1", "--code", "X", "--order", "-code", "--limit", "7"),
        *("--created-after", "2026-01-01", "--created-before", "2026-02-01T10:00:00+02:00"),
    )
    assert dict(fake.requests[0].query) == {
        "category": "a b",
        "campaign": "c",
        "campaign_id": "camp_1",
        "customer": "cust_1",
        "code": "X",
        "order": "-code",
        "limit": "7",
        "page": "1",
        "created_at[after]": "2026-01-01T00:00:00Z",
        "created_at[before]": "2026-02-01T08:00:00Z",
    }
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "voucherify-async: no vouchers match\n"


def test_an_empty_listing_is_valid_json(call: Call) -> None:
    """An empty listing as JSON is an empty array."""
    assert json.loads(call("list", "--code", "NO-SUCH", "--output", "json").out) == []


def test_csv_can_be_imported_again(call: Call, fake: FakeVoucherify) -> None:
    """`--output csv` writes what `import` takes, and names what no row can express."""
    units = [{"unit_off": 1, "unit_type": "prod_1", "effect": "ADD_NEW_ITEMS"}]
    fake.add_voucher(code="UNITS", discount={"type": "UNIT", "units": units})
    fake.add_voucher(code="META", gift={"amount": 1050}, metadata={"lang": "de"})
    ended = call("list", "--order", "code", "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [(row["Code"], row["Value"], row["lang"]) for row in rows] == [
        ("CARD", "10000", ""),
        ("META", "1050", "de"),
        ("SAVE", "10", ""),
    ]
    assert ended.code == 1
    assert "UNITS" in ended.err
    Path("again.csv").write_text(ended.out)
    assert "row" not in call("import", "again.csv").out


def test_a_piped_table_is_plain_and_whole(call: Call, fake: FakeVoucherify) -> None:
    """Piped, a table has no lines, no colours and no cuts, and its columns stand straight."""
    code, category = "X" * 150, "日本" * 60
    fake.add_voucher(code=code, category=category)
    header, first, *_ = call("list", "--order", "-code").lines
    assert first.startswith(f"{code}  ")
    assert category in first
    assert header.index("type") == first.index("discount")
    assert (header + first).isprintable()
    assert not set("─━│┃") & set(header + first)


def test_escape_sequences_do_not_reach_the_terminal(call: Call, fake: FakeVoucherify) -> None:
    """Control characters in what the API sends are shown as escapes, and survive in JSON."""
    evil = "a\x1b[31m\x07\x9b2J\n\u202eb"
    fake.add_voucher(code="EVIL", category=evil)
    fake.faults.status(400, path="BAD", body={"key": "k", "message": evil}, times=None)
    for arguments in (["list"], ["get", "EVIL"], ["get", "BAD"], ["get", "\x1b[31m"]):
        ended = call(*arguments)
        assert all(line.isprintable() for line in (ended.out + ended.err).split("\n"))
    for output in ("json", "jsonl"):
        ended = call("get", "EVIL", "--output", output)
        assert all(line.isprintable() for line in ended.lines)
        found = json.loads(ended.out)
        assert (found[0] if output == "json" else found)["category"] == evil


def test_a_closed_pipe_ends_the_command_quietly(command: Command, fake: FakeVoucherify) -> None:
    """Where the reader goes away, the command ends without a word."""
    fake.add_vouchers({"code": f"C-{number:04}"} for number in range(600))
    process = command.start("list", "--all", "--output", "jsonl")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("{")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(TIMEOUT) == 141


def test_both_streams_can_be_closed(command: Command) -> None:
    """A reader of stdout and stderr alike can go away too."""
    process = command.start("get", "CARD", "NO-SUCH", stderr=subprocess.STDOUT)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(TIMEOUT) == 141


@pytest.mark.parametrize("raw", [(), ("--raw",)])
def test_csv_runs_no_formulas(call: Call, fake: FakeVoucherify, raw: tuple[str, ...]) -> None:
    """CSV on stdout gets an apostrophe before what a spreadsheet would run; --raw leaves it."""
    fake.add_voucher(code="=F", gift={"amount": 5})
    written = call("get", "=F", "--output", "csv", *raw).out.splitlines()[1]
    assert written.startswith("=F," if raw else "'=F,")
    call("balance", "CARD", "5", "--yes", "--reason", "=1+1")
    written = call("transactions", "CARD", "--output", "csv", *raw).out
    assert (",=1+1," in written) == bool(raw)
    assert (",'=1+1," in written) != bool(raw)

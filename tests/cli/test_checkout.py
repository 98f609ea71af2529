"""`validate`, `redeem`, `rollback` and `redemptions`."""

from __future__ import annotations

import json
import shlex

from voucherify_async.testing import FakeVoucherify

from .conftest import Call


def held(fake: FakeVoucherify) -> int:
    """What the card holds."""
    return int(fake.vouchers["CARD"]["gift"]["balance"])


def test_validate_tells_what_applies(call: Call, fake: FakeVoucherify) -> None:
    """`validate` shows each code with what it gives or why not; exit code 1 where one does not."""
    ended = call("validate", "SAVE", "CARD", "--amount", "5000")
    assert ended.code == 0
    assert [line.split()[:2] for line in ended.lines[1:]] == [
        ["SAVE", "APPLICABLE"],
        ["CARD", "APPLICABLE"],
    ]
    assert "5000 becomes 0, 5000 off" in ended.err
    refused = call("validate", "NOPE", "--amount", "5000", "--output", "json")
    assert refused.code == 1
    (entry,) = json.loads(refused.out)
    assert (entry["id"], entry["status"]) == ("NOPE", "INAPPLICABLE")
    assert held(fake) == 10_000


def test_redeem_and_roll_back(call: Call, fake: FakeVoucherify) -> None:
    """`redeem` spends once, `redemptions` shows it, and `rollback` gives it back."""
    paid = call("redeem", "CARD", "--amount", "3000", "--order", "order-1")
    assert paid.code == 0
    record = dict(line.split(maxsplit=1) for line in paid.lines)
    assert (record["total"], record["discount"]) == ("0", "3000")
    assert held(fake) == 7_000
    listed = call("redemptions", "--of-order", "order-1", "--output", "jsonl")
    assert [json.loads(line)["id"] for line in listed.lines] == [record["redemption"]]
    undone = call("rollback", record["redemption"], "--reason", "returned")
    assert undone.code == 0
    assert held(fake) == 10_000
    both = call("redemptions", "--of", record["redemption"], "--output", "jsonl")
    kinds = [json.loads(line)["object"] for line in both.lines]
    assert kinds == ["redemption", "redemption_rollback"]
    assert call("rollback", record["redemption"]).code == 3
    newest = call("redemptions", "--limit", "1", "--output", "csv")
    assert newest.lines[1].split(",")[2] == "rollback"
    assert "only 1 are listed" in newest.err
    # The refused rollback is on record too.
    assert len(call("redemptions", "--all").lines) == 4


def test_a_refused_redemption_is_a_negative_result(call: Call, fake: FakeVoucherify) -> None:
    """What does not apply is exit code 1 and one line that says why."""
    fake.add_voucher(
        {"code": "OLD", "gift": {"amount": 5, "balance": 5}, "expiration_date": "2020-01-01"}
    )
    ended = call("redeem", "OLD", "--amount", "10", "--order", "order-1")
    assert (ended.code, ended.out) == (1, "")
    assert "expired" in ended.err
    assert call("redemptions", "--of-order", "order-9").code == 1


def test_a_lost_answer_is_found_and_not_sent_again(call: Call, fake: FakeVoucherify) -> None:
    """Where an answer is lost, the order tells; exit code 4 names the command that finds out."""
    fake.faults.lose_answer(method="POST")
    assert call("redeem", "CARD", "--amount", "100", "--order", "order-1").code == 0
    assert held(fake) == 9_900
    fake.faults.lose_answer(method="POST")
    fake.faults.status(403, path="orders", times=None)
    unknown = call("redeem", "CARD", "--amount", "100", "--order", "order-2")
    assert (unknown.code, unknown.out) == (4, "")
    assert held(fake) == 9_800
    fake.faults.clear()
    _, _, advice = unknown.err.partition("find out with: voucherify-async ")
    found = call(*shlex.split(advice))
    assert found.code == 0
    assert "SUCCESS" in found.out

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from voucherify_async import InvalidArgumentError
from voucherify_async._files import atomic

from ..bulk.conftest import names_in


def write(target: str | Path) -> None:
    """Write a file with the synchronous writer."""
    with atomic.replacing(target) as file:
        file.write(b"new")


async def write_async(target: str | Path) -> None:
    """Write a file with the asynchronous writer."""
    async with atomic.replacing_async(target) as file:
        await to_thread.run_sync(file.write, b"new")


def mode_of(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400, 0o4755])
def test_mode_of_a_replaced_file_is_kept(mode: int, tmp_path: Path) -> None:
    """A file that is replaced keeps its own mode, set-user-ID apart."""
    target = tmp_path / "codes.csv"
    target.write_bytes(b"old")
    target.chmod(mode)
    write(str(target))
    assert target.read_bytes() == b"new"
    assert mode_of(target) == mode & 0o777
    assert names_in(tmp_path) == ["codes.csv"]


def test_file_being_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    """A new file is for its owner alone from the first moment, whatever the umask says."""
    old = os.umask(0)
    try:
        with atomic.replacing(tmp_path / "codes.csv"):
            (part,) = tmp_path.iterdir()
            assert mode_of(part) == 0o600
    finally:
        os.umask(old)
    assert mode_of(tmp_path / "codes.csv") == 0o600


@pytest.mark.parametrize("refused", [False, True])
def test_group_that_cannot_be_kept_loses_its_rights(
    refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file's group cannot be kept, another group does not get its rights."""
    target, given = tmp_path / "codes.csv", []
    target.write_bytes(b"old")
    target.chmod(0o664)
    own, real = os.stat_result, os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        fields = list(real(descriptor))
        fields[5] += 1
        return own(fields)

    def fchown(*arguments: int) -> None:
        given.append(arguments[1:])
        if refused:
            raise PermissionError

    monkeypatch.setattr(os, "fstat", fstat)
    monkeypatch.setattr(os, "fchown", fchown)
    write(target)
    monkeypatch.undo()
    assert mode_of(target) == (0o600 if refused else 0o664)
    assert given[0][1] == target.stat().st_gid


@pytest.mark.parametrize("is_dangling", [False, True])
def test_symbolic_link_is_refused(is_dangling: bool, tmp_path: Path) -> None:
    """A link is neither followed nor replaced, and what it points to stays as it was."""
    victim, link = tmp_path / "victim", tmp_path / "codes.csv"
    if not is_dangling:
        victim.write_bytes(b"old")
    link.symlink_to(victim)
    with pytest.raises(OSError, match=r"symbolic link.*codes\.csv"):
        write(link)
    assert link.is_symlink()
    assert (victim.read_bytes() if victim.exists() else None) == (None if is_dangling else b"old")
    assert len(names_in(tmp_path)) == (1 if is_dangling else 2)


def test_link_put_there_meanwhile_is_not_followed(tmp_path: Path) -> None:
    """A link that appears while the file is written is refused as well."""
    victim, target = tmp_path / "victim", tmp_path / "codes.csv"
    victim.write_bytes(b"old")

    def race() -> None:
        with atomic.replacing(target) as file:
            file.write(b"new")
            target.symlink_to(victim)

    with pytest.raises(OSError, match="symbolic link"):
        race()
    assert victim.read_bytes() == b"old"
    assert names_in(tmp_path) == ["codes.csv", "victim"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_taken_temporary_name_is_never_written_to(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever guesses the temporary name gets nothing: what stands there is left alone."""
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    victim, part = tmp_path / "victim", tmp_path / ".guessed.part"
    victim.write_bytes(b"old")
    part.symlink_to(victim) if kind == "link" else part.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        write(tmp_path / "codes.csv")
    assert victim.read_bytes() == b"old"
    assert part.read_bytes() == (b"old" if kind == "link" else b"theirs")
    assert not (tmp_path / "codes.csv").exists()


def test_temporary_names_are_random(tmp_path: Path) -> None:
    """Two files at once have different temporary names, in the folder of their target."""
    with atomic.replacing(tmp_path / "a"), atomic.replacing(tmp_path / "a"):
        assert len(names_in(tmp_path)) == 2
    assert names_in(tmp_path) == ["a"]


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    """A pipe, a device or a folder in the target's place stays what it is."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, error in [("pipe", FileExistsError), ("folder", IsADirectoryError)]:
        with pytest.raises(error, match=name):
            write(tmp_path / name)
    with pytest.raises(FileExistsError):
        write("/dev/null")
    assert names_in(tmp_path) == ["folder", "pipe"]


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", ""])
async def test_names_that_cannot_be(name: str, tmp_path: Path) -> None:
    """A name that no file can have is refused with our own error, its characters escaped."""
    with pytest.raises(InvalidArgumentError, match="cannot be the name of a file"):
        await write_async(f"{tmp_path}/{name}" if name else "")
    assert names_in(tmp_path) == []


def test_content_is_on_the_disk_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is synced before the file gets its name, so that no crash leaves half a file."""
    events: list[tuple[str, Any]] = []
    sync, replace = os.fsync, Path.replace
    target = tmp_path / "codes.csv"

    def fsync(descriptor: int) -> None:
        events.append(("sync", target.exists()))
        sync(descriptor)

    def replaced(path: Path, to: Path) -> Path:
        events.append(("replace", path.read_bytes()))
        return replace(path, to)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replaced)
    write(target)
    assert events == [("sync", False), ("replace", b"new"), ("sync", True)]


@pytest.mark.anyio
@pytest.mark.parametrize("failing", ["write", "sync", "rename"])
async def test_failure_leaves_the_old_file(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the writing fails, the old file is as it was and no other one is left."""
    target = tmp_path / "codes.csv"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    async def attempt() -> None:
        async with atomic.replacing_async(target) as file:
            file.write(b"new")
            if failing == "write":
                fail()

    if failing == "sync":
        monkeypatch.setattr(os, "fsync", fail)
    if failing == "rename":
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="full"):
        await attempt()
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["codes.csv"]


@pytest.mark.anyio
async def test_cancelled_writing_leaves_nothing(tmp_path: Path) -> None:
    """Whoever is cancelled while writing leaves the old file, and no other one."""
    target = tmp_path / "codes.csv"
    target.write_bytes(b"old")
    with anyio.CancelScope() as scope:
        async with atomic.replacing_async(target) as file:
            file.write(b"new")
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["codes.csv"]

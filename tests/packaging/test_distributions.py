"""What a release holds: the wheel and the sdist, built from this checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from attrs import frozen
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import voucherify_async

ROOT = Path(__file__).parents[2]
EXTRAS = {
    "aiohttp", "cli", "fast", "httpx2", "otel", "pydantic", "pyreqwest", "redis", "socks",
    "testing", "trio", "truststore",
} | {"bench", "dev", "docs", "release"}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not (ROOT / "voucherify_async").is_dir(),
    reason="needs the sources, and tests what is installed",
)


@frozen
class Built:
    """A wheel and an sdist."""

    wheel: Path
    sdist: Path

    def unpack(self, folder: Path) -> Path:
        """Unpack the sdist; returns its root."""
        with tarfile.open(self.sdist) as archive:
            archive.extractall(folder, filter="data")
        (root,) = folder.iterdir()
        return root

    def in_wheel(self, name: str) -> bytes:
        """Read the one file of the wheel whose path ends so."""
        with zipfile.ZipFile(self.wheel) as archive:
            (path,) = (path for path in archive.namelist() if path.endswith(name))
            return archive.read(path)

    @property
    def metadata(self) -> Message:
        """What a package index shows."""
        return message_from_bytes(self.in_wheel(".dist-info/METADATA"))


def build(source: Path, into: Path, *targets: str) -> None:
    """Build with the backend itself, as installers do."""
    chosen = [word for target in targets for word in ("-t", target)]
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(into), *chosen]
    done = subprocess.run(command, cwd=source, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build both from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "wheel", "sdist")
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel, sdist)


def test_the_sdist_holds_every_file_and_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    """Whoever packages from the sdist has the tests, the docs and the tools, and gets our wheel."""
    root = built.unpack(tmp_path / "sdist")
    unpacked = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = ["git", "ls-files", "-z"]
        known = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        assert {name for name in known.split("\0") if name and (ROOT / name).is_file()} <= unpacked
    build(root, tmp_path, "wheel")
    assert (tmp_path / built.wheel.name).read_bytes() == built.wheel.read_bytes()


def test_the_wheel_holds_the_package_and_its_plugin_alone(built: Built) -> None:
    """Every module and `py.typed` is in the wheel; of the tests and tools nothing is."""
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "voucherify_async").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(built.wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert files == modules | {"pytest_voucherify_async.py"}
    assert "voucherify_async/py.typed" in files
    assert built.in_wheel("licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_the_metadata_name_version_pythons_and_addresses(built: Built) -> None:
    """The version is the package's, each Python is named, and the addresses agree."""
    told = built.metadata
    assert told["Version"] == voucherify_async.__version__
    assert told["License-Expression"] == "MIT"
    named = {
        found[1]
        for line in told.get_all("Classifier", [])
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
    }
    assert named == {"3.11", "3.12", "3.13", "3.14"}
    wanted = SpecifierSet(told["Requires-Python"])
    assert all(version in wanted for version in named)
    assert "3.10" not in wanted
    urls = dict(line.split(", ", 1) for line in told.get_all("Project-URL", []))
    assert {"Changelog", "Documentation", "Issues", "Repository", "Security"} <= urls.keys()
    assert all(url.startswith(urls["Repository"]) for url in urls.values())


def test_the_extras_are_these(built: Built) -> None:
    """An extra is a promise: none goes or comes unseen, and each names what exists."""
    told = built.metadata
    assert set(told.get_all("Provides-Extra", [])) == EXTRAS
    for line in told.get_all("Requires-Dist", []):
        wanted = Requirement(line)
        assert wanted.specifier or wanted.extras, f"{line}: has no lowest version"
        if canonicalize_name(wanted.name) == "voucherify-async":
            assert wanted.extras <= EXTRAS


def test_links_of_the_readme_lead_somewhere_from_a_package_index_too(built: Built) -> None:
    """In a checkout they are relative and their files exist; in the metadata they are absolute."""
    link = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
    readme = (ROOT / "README.md").read_text()
    shown = built.metadata.get_payload()
    assert isinstance(shown, str)
    relative = [target for target in link.findall(readme) if not target.startswith(("http", "#"))]
    assert relative
    for target in relative:
        assert (ROOT / target.partition("#")[0]).exists(), target
    assert all(target.startswith(("https://", "#")) for target in link.findall(shown))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    at = f"{project['urls']['Repository']}/%s/v{voucherify_async.__version__}/"
    for target in relative:
        absolute = {at % kind + target for kind in ("blob", "raw")} & set(link.findall(shown))
        assert len(absolute) == 1, target

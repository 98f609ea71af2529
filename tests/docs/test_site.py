"""The built site: no warning, no link that leads nowhere, nothing from another host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from .pages import ROOT

pytestmark = pytest.mark.slow

_ADDRESS = re.compile(r"https://(?P<host>[a-z0-9.-]+\.[a-z]{2,})(/\S*)?")
# Every host that the site links to.
HOSTS = {"github.com", "keepachangelog.com", "semver.org", "www.voucherify.io"}


class _Links(HTMLParser):
    """The ids of a page, where it links to, and what it loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") != "canonical":
            self.loaded.append(given.get("href", ""))
        elif "src" in given:
            self.loaded.append(given["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as it is released: built from nothing, warnings being errors.

    `VOUCHERIFY_SITE` names one that was built just now.
    """
    if "VOUCHERIFY_SITE" in os.environ:
        return Path(os.environ["VOUCHERIFY_SITE"])
    pytest.importorskip("furo", reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    cache = folder / "doctrees"
    done = subprocess.run(
        [*command, "-d", str(cache), "docs", str(folder / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder / "html"


@pytest.fixture(scope="module")
def parsed(site: Path) -> dict[Path, _Links]:
    """Every page of the site."""
    return {page: _Links(page) for page in sorted(site.rglob("*.html"))}


def test_links_within(parsed: dict[Path, _Links]) -> None:
    """Each link, anchor, image, script and style within the site leads to something."""
    broken = [
        f"{page.name}: {address}"
        for page, links in parsed.items()
        for address in [*links.links, *links.loaded]
        if not _is_there(page, address, parsed)
    ]
    assert not broken


def test_nothing_is_loaded_from_elsewhere(site: Path, parsed: dict[Path, _Links]) -> None:
    """The site works offline: no font, script or image of another host."""
    assert [src for links in parsed.values() for src in links.loaded if urlsplit(src).netloc] == []
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text()), style


def test_links_outside(parsed: dict[Path, _Links]) -> None:
    """Links to other hosts are addresses of hosts that are known; none is asked for here."""
    addresses = {link for links in parsed.values() for link in links.links if _is_outside(link)}
    found = [(address, _ADDRESS.fullmatch(address)) for address in addresses]
    assert [address for address, match in found if match is None] == []
    assert {match["host"] for _, match in found if match} == HOSTS


def _is_outside(address: str) -> bool:
    return bool(urlsplit(address).scheme)


def _is_there(page: Path, address: str, parsed: dict[Path, _Links]) -> bool:
    parts = urlsplit(address)
    if parts.scheme or not address:
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return False
    return not parts.fragment or target not in parsed or _has(parsed[target], parts.fragment)


def _has(links: _Links, fragment: str) -> bool:
    return unquote(fragment) in links.ids


def test_every_page_is_built(parsed: dict[Path, _Links]) -> None:
    """No page of ours is left out of the site."""
    names = {str(page.relative_to(_root(parsed))) for page in parsed}
    written = {str(path) for path in _sources()}
    assert written <= names


def _root(parsed: dict[Path, _Links]) -> Path:
    return next(page.parent for page in parsed if page.name == "genindex.html")


def _sources() -> Iterator[Path]:
    docs = ROOT / "docs"
    for path in docs.rglob("*.md"):
        if "_build" not in path.parts:
            yield path.relative_to(docs).with_suffix(".html")

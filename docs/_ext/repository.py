"""Pages that are files of the repository: their links to files there lead to pages of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sphinx.addnodes import pending_xref

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGES: Final = {
    "ARCHITECTURE.md": "architecture",
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "PERFORMANCE.md": "performance",
    "SECURITY.md": "security",
    "SUPPORT.md": "support",
}
"""The page that includes each file."""


def connect(app: Sphinx) -> None:
    """Tell Sphinx of the pages."""
    app.connect("doctree-read", _to_pages)


def _to_pages(_app: Any, doctree: Any) -> None:
    for node in doctree.findall(pending_xref):
        target = node["reftarget"]
        page = PAGES.get(target)
        if page is None and target.startswith("docs/"):
            page = target.removeprefix("docs/").removesuffix(".md")
        if page is not None:
            node.update_all_atts({"refdomain": "doc", "reftarget": page}, replace=True)
            node["reftargetid"] = None

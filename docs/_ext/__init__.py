"""What the documentation generates when it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import docstrings, migration, repository
from .directives import Commands, Documented, Examples, Models, SdkOperations, SdkSummary

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directives, and of how docstrings are written."""
    app.add_directive("commands", Commands)
    app.add_directive("documented", Documented)
    app.add_directive("examples", Examples)
    app.add_directive("models", Models)
    app.add_directive("sdk-operations", SdkOperations)
    app.add_directive("sdk-summary", SdkSummary)
    docstrings.connect(app)
    repository.connect(app)
    app.connect("env-before-read-docs", lambda *_: migration.operations())
    return {"parallel_read_safe": True}
